"""The record of a run, run.json: write it, find it, read it. Plain dicts; standard library only."""

import hashlib
import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any

SCHEMA = 1
FILENAME = "run.json"
ASIDE = ".aside-"
HYDRAS = (".hydra", "train.log")

Record = dict[str, Any]

COSMETIC = (
    "task_name",
    "tags",
    "logger",
    "data.root",
    "callbacks.progress_bar",
    "callbacks.checkpoint.dirpath",
)
"""What a run's result does not depend on: paths and looks."""


def write(record: Record, directory: Path) -> Path:
    """Write the record into the run's directory, all or nothing: a reader never sees half of it.

    Numbers that are not finite become null, since JSON has no word for them.
    """
    text = json.dumps(finite(record), indent=1, allow_nan=False)
    descriptor, name = tempfile.mkstemp(dir=directory, prefix=".run-", suffix=".json")
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        unfinished.chmod(0o644)  # temporary files are their owner's alone
        return unfinished.replace(directory / FILENAME)
    finally:
        unfinished.unlink(missing_ok=True)


def read(directory: Path) -> Record | None:
    """Return the record in this directory, or None where there is none that can be read."""
    try:
        record = json.loads((directory / FILENAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("schema") == SCHEMA else None


def completed(directory: Path, fingerprint: str) -> Record | None:
    """Return the record in this directory if it is of a completed run of this very configuration."""
    record = read(directory)
    same = record and (record["status"], record["fingerprint"]) == ("completed", fingerprint)
    return record if same else None


def set_aside(directory: Path) -> None:
    """Move what an earlier run left here, its record above all, into a hidden folder beside it.

    Hydra has written its files of the new run already; they stay.
    """
    left = [p for p in directory.iterdir() if p.name not in HYDRAS and not p.name.startswith(ASIDE)]
    if left:
        aside = Path(tempfile.mkdtemp(dir=directory, prefix=ASIDE))
        for path in left:
            path.replace(aside / path.name)


def find(root: Path) -> list[Path]:
    """Return the directories at or below root that hold a record, sorted; not what was set aside."""
    found = (path.parent for path in root.rglob(FILENAME))
    return sorted(path for path in found if not path.name.startswith(ASIDE))


def finite(value: Any) -> Any:
    """Replace every number that is not finite by None, in lists and dicts of any depth."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def fingerprint(config: Record) -> str:
    """Return a hash of all that a run's result depends on: the resolved config less ``COSMETIC``."""
    text = json.dumps(without(config, COSMETIC), sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def without(config: Record, keys: tuple[str, ...], prefix: str = "") -> Record:
    """Return the nested dict less these dotted keys."""
    return {
        key: without(value, keys, f"{prefix}{key}.") if isinstance(value, dict) else value
        for key, value in config.items()
        if f"{prefix}{key}" not in keys
    }
