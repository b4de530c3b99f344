"""The record of a run, run.json, and the folder that it lies in: nothing else there is moved or overwritten.

Records are plain dicts; standard library only.
"""

import json
import logging
import math
import uuid
from collections.abc import Iterable
from glob import escape
from pathlib import Path
from typing import Any

from overnight.records.atomic import replacing
from overnight.records.printable import printable_json

log = logging.getLogger(__name__)

SCHEMA = 2
RECORD_FILE = "run.json"

STATUSES = ("completed", "diverged", "pruned", "failed")
SETTLED = {*STATUSES} - {"failed"}  # what failed may succeed the next time

Record = dict[str, Any]

MARK = ".hydra/overnight"
"""Stands in a folder where runs write; what has one of the names below there is a run's."""
BEST, LAST = Path("checkpoints", "best.ckpt"), Path("checkpoints", "last.ckpt")
OWN = (
    *(RECORD_FILE, str(BEST), str(LAST), "events.out.tfevents.*"),
    *("csv/metrics.csv", "csv/hparams.yaml"),
)
OVERWRITTEN = (*OWN, "reports.jsonl")
ASIDE = ".aside-"


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
    return record if isinstance(record, dict) and is_whole(record) else None


def is_whole(record: Record) -> bool:
    """Tell whether a record has what is read of it, of the right kind: somebody may have edited it."""
    metric, best = record.get("metric"), record.get("best")
    reached = best.get(metric, "") if isinstance(best, dict) else None
    return (
        record.get("schema") == SCHEMA
        and record.get("status") in STATUSES
        and {"name", "fingerprint", "overrides", "choices", "mode", "data"} <= record.keys()
        and isinstance(record.get("history"), list)
        and isinstance(record.get("config", ""), dict | None)
        and isinstance(metric, str | None)
        and (reached is None or (isinstance(reached, int | float) and math.isfinite(reached)))
    )


def settled_record(directory: Path, fingerprint: str | None = None) -> Record | None:
    """Return the record in this directory of a run to its end; of this very configuration, if it is given."""
    record = read_record(directory)
    if record and record["status"] in SETTLED and fingerprint in {None, record["fingerprint"]}:
        return record
    return None


def score(record: Record) -> float:
    """Return the metric of the best weights, NaN where there is none."""
    reached = record["best"][record["metric"]] if record["status"] == "completed" and record["best"] else None
    return math.nan if reached is None else float(reached)


def without_infinities(value: Any) -> Any:
    """Replace every number that is not finite by None, in lists and dicts of any depth."""
    if isinstance(value, dict):
        return {key: without_infinities(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_infinities(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def edited(before: dict[str, str] | None, now: dict[str, str]) -> list[str]:
    """Return the modules that are other ones now than they were."""
    return [name for name, known in (before or {}).items() if now.get(name, known) != known]


def refuse_foreign(directory: Path, names: Iterable[str] = OVERWRITTEN, *, ours: bool | None = None) -> None:
    """Refuse a folder that holds one of these files, which would be overwritten, unless it is one of ours.

    By default it is if it is marked as one where runs write.

    Raises:
        FileExistsError: names what is there.
    """
    ours = (directory / MARK).is_file() if ours is None else ours
    found = [] if ours else matches(directory, names)
    if found:
        listed = ", ".join(str(path.relative_to(directory)) for path in found)
        raise FileExistsError(
            f"{directory} holds {listed}, which no run wrote, and which would be overwritten. "
            f"Needed: another folder. Type for example: task_name=ANOTHER, and no hydra.run.dir or "
            f"hydra.sweep.dir"
        )


def claim(directory: Path, sweep: str = "", job: str = "") -> bool:
    """Mark a folder as one where runs write; tell whether another job of the same sweep has done so.

    ``sweep`` tells one start of a sweep from the others, "" is a run by itself; ``job`` tells its jobs apart.

    Raises:
        FileExistsError: something is in the way that no run wrote.
    """
    refuse_foreign(directory)
    mark, now = directory / MARK, f"{sweep} {job}"
    before = mark.read_text(encoding="utf-8") if mark.is_file() else ""
    mark.parent.mkdir(exist_ok=True)
    mark.write_text(now, encoding="utf-8")
    return bool(sweep) and before.startswith(f"{sweep} ") and before != now


def refuse_shared(directory: Path, shared: bool) -> None:  # noqa: FBT001
    """Refuse a second job of a sweep in a folder that another one has used (FileExistsError)."""
    if shared:
        raise FileExistsError(
            f"{directory}: another job of this sweep has run here, with other settings. Needed: a folder for "
            f"each job. Type no hydra.sweep.subdir, and no list of values for task_name"
        )


def set_aside(directory: Path, names: Iterable[str] = ()) -> Path | None:
    """Move these files of an earlier run into a hidden folder beside it; return that, None if there are none.

    By default these are all that runs write, and the checkpoint that the record names. If that is damaged,
    say so.
    """
    record = read_record(directory)
    best = escape(Path((record or {}).get("checkpoint") or "best.ckpt").name)
    left = matches(directory, names or (*OWN, f"checkpoints/{best}"))
    if not left:
        return None
    aside = directory / f"{ASIDE}{uuid.uuid4().hex[:8]}"
    for path in left:
        moved = aside / path.relative_to(directory)
        moved.parent.mkdir(parents=True, exist_ok=True)
        path.replace(moved)
    if directory / RECORD_FILE in left and not record:
        log.warning("%s is damaged: it lies in %s now, the run is run again", RECORD_FILE, aside)
    return aside


def matches(directory: Path, names: Iterable[str]) -> list[Path]:
    """Return the files in a folder that have one of these names, which may hold a ``*``, each once."""
    return list(dict.fromkeys(path for name in names for path in sorted(directory.glob(name))))


def find_runs(root: Path) -> list[Path]:
    """Return the directories at or below root that hold a record, sorted; not what was set aside."""
    found = (path.parent for path in root.rglob(RECORD_FILE))
    return sorted(path for path in found if not path.name.startswith(ASIDE))
