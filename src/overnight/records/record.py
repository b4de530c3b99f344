"""The record of a run, run.json: write it, find it, read it. Plain dicts; standard library only."""

import hashlib
import json
import logging
import math
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from overnight.records.atomic import replacing

log = logging.getLogger(__name__)

SCHEMA = 2
RECORD_FILE = "run.json"
ASIDE = ".aside-"
IN_USE = (".hydra", "train.log", ".running")
"""Files of the run that is about to start: Hydra's, and the claim."""

STATUSES = ("completed", "diverged", "failed")

Record = dict[str, Any]

COSMETIC = (
    *("task_name", "tags", "logger", "cosmetic", "retries", "on_failure", "study", "callbacks.progress_bar"),
    *("callbacks.checkpoint.dirpath", "callbacks.last_checkpoint.dirpath"),
)
"""What a run's result does not depend on: paths, looks, what follows a failure, what it is to answer.

A project adds its own in the key ``cosmetic`` of its configuration.
"""

CONTENTS = ("ckpt_path", "init_from")
"""Paths of files whose content the result depends on."""


def write_record(record: Record, directory: Path) -> Path:
    """Write the record into the run's directory, all or nothing: a reader never sees half of it.

    Numbers that are not finite become null, since JSON has no word for them.
    """
    text = json.dumps(without_infinities(record), indent=1, allow_nan=False)
    path = directory / RECORD_FILE
    with replacing(path) as file:
        file.write(text.encode())
    return path


def read_record(directory: Path) -> Record | None:
    """Return the record in this directory, or None where there is none that can be read."""
    try:
        record = json.loads((directory / RECORD_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("schema") == SCHEMA else None


def settled_record(directory: Path, fingerprint: str) -> Record | None:
    """Return the record in this directory if this very configuration has been run to its end.

    That is: completed or diverged. What failed may succeed the next time.
    """
    record = read_record(directory)
    if record and record["fingerprint"] == fingerprint and record["status"] in {"completed", "diverged"}:
        return record
    return None


def set_aside(directory: Path, pattern: str = "*") -> Path | None:
    """Move what an earlier run left here, its record above all, into a hidden folder beside it.

    Return that folder, or None where nothing was left. Say so if a record in it is damaged.
    """
    left = [p for p in directory.glob(pattern) if p.name not in IN_USE and not p.name.startswith(ASIDE)]
    if not left:
        return None
    damaged = (directory / RECORD_FILE) in left and not read_record(directory)
    aside = Path(tempfile.mkdtemp(dir=directory, prefix=ASIDE))
    for path in left:
        path.replace(aside / path.name)
    if damaged:
        log.warning("%s is damaged: it lies in %s now, the run is run again", RECORD_FILE, aside)
    return aside


def find_runs(root: Path) -> list[Path]:
    """Return the directories at or below root that hold a record, sorted; not what was set aside."""
    found = (path.parent for path in root.rglob(RECORD_FILE))
    return sorted(path for path in found if not path.name.startswith(ASIDE))


def without_infinities(value: Any) -> Any:
    """Replace every number that is not finite by None, in lists and dicts of any depth."""
    if isinstance(value, dict):
        return {key: without_infinities(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_infinities(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def fingerprint(config: Record) -> str:
    """Return a hash of all that a run's result depends on: the resolved config less what is cosmetic.

    A path of a file that training begins with counts by its content.
    """
    contents = {key: content_hash(config[key]) for key in CONTENTS if config.get(key)}
    relevant = without_keys(config | contents, (*COSMETIC, *config.get("cosmetic", ())))
    text = json.dumps(relevant, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def content_hash(path: str) -> str:
    """Return a hash of a file; of a path without a file, the path."""
    if not Path(path).is_file():
        return path
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_cosmetic(key: str, own: Iterable[str] = ()) -> bool:
    """Tell whether no result depends on this dotted key; ``own`` are those of the project."""
    return any(f"{key}.".startswith(f"{listed}.") for listed in (*COSMETIC, *own))


def without_keys(config: Record, keys: tuple[str, ...], prefix: str = "") -> Record:
    """Return the nested dict less these dotted keys."""
    return {
        key: without_keys(value, keys, f"{prefix}{key}.") if isinstance(value, dict) else value
        for key, value in config.items()
        if f"{prefix}{key}" not in keys
    }
