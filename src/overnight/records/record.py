"""The record of a run, run.json: write it, read it. Plain dicts; standard library only."""

import functools
import hashlib
import json
import math
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from overnight.records.atomic import replacing

SCHEMA = 2
RECORD_FILE = "run.json"

STATUSES = ("completed", "diverged", "pruned", "failed")
SETTLED = {*STATUSES} - {"failed"}
"""What failed may succeed the next time."""

Record = dict[str, Any]

COSMETIC = (
    *("task_name", "tags", "logger", "cosmetic", "retries", "on_failure", "study", "callbacks.progress_bar"),
    *("callbacks.checkpoint.dirpath", "callbacks.last_checkpoint.dirpath"),
    "traits_of_data",
)
"""What a run's result does not depend on: paths, looks, what follows a failure, what it is to answer.

The traits are what the data itself tells, whose content counts.

A project adds its own in the key ``cosmetic`` of its configuration.
"""

CONTENTS = ("ckpt_path", "init_from")
"""Paths of files whose content the result depends on; ``data.path`` is another one."""


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
        record = json.loads(printable_json((directory / RECORD_FILE).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return record if isinstance(record, dict) and record.get("schema") == SCHEMA else None


def score(record: Record) -> float:
    """Return the metric of the best weights, NaN where there is none."""
    reached = record["best"][record["metric"]] if record["status"] == "completed" and record["best"] else None
    return math.nan if reached is None else float(reached)


CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that command a terminal or turn the direction of writing."""
ESCAPED = re.compile(
    r"(\\\\)|\\[bf]|\\u(?:00(?:0[0-8bcef]|1[0-9a-f]|7f|[89][0-9a-f])|20(?:2[a-e]|6[6-9]))", re.IGNORECASE
)
"""JSON's escapes of them. The first group is that of a backslash: what stands after it is no escape."""


def printable(text: str) -> str:
    """Return a text without what would command the terminal that it is printed on."""
    return CONTROLS.sub("", text)


def printable_json(text: str) -> str:
    """Return JSON whose strings are ``printable``."""
    return ESCAPED.sub(r"\1", printable(text))


def settled_record(directory: Path, fingerprint: str) -> Record | None:
    """Return the record in this directory if this very configuration has been run to its end."""
    record = read_record(directory)
    if record and record["fingerprint"] == fingerprint and record["status"] in SETTLED:
        return record
    return None


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
    contents: Record = {key: content_hash(config[key]) for key in CONTENTS if config.get(key)}
    data = config.get("data") or {}
    if isinstance(data.get("path"), str):
        contents["data"] = data | {"path": content_hash(data["path"])}
    relevant = without_keys(config | contents, (*COSMETIC, *config.get("cosmetic", ())))
    text = json.dumps(relevant, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def content_hash(path: str) -> str:
    """Return a hash of a file, or of the arrays (.npy) in a folder; of a path with neither, the path."""
    arrays = sorted(Path(path).glob("*.npy")) if Path(path).is_dir() else []
    if arrays:
        return " ".join(f"{array.name} {content_hash(str(array))}" for array in arrays)
    if not Path(path).is_file():
        return path
    stat = Path(path).stat()
    return _digest(Path(path).resolve(), stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=100)
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001 - keys of the cache
    """Read a file once, as long as its size and time of change stay: a sweep asks for each of its jobs."""
    with path.open("rb") as file:
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
