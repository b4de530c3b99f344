"""The folder of a run: what in it is a run's own. Nothing else in it is ever moved or overwritten."""

import logging
import uuid
from collections.abc import Iterable
from glob import escape
from pathlib import Path

from overnight.records.record import RECORD_FILE, read_record

log = logging.getLogger(__name__)

MARK = ".hydra/overnight"
"""Stands in a folder where runs write; what has one of the names below there is a run's."""
BEST, LAST = Path("checkpoints", "best.ckpt"), Path("checkpoints", "last.ckpt")
OWN = (
    *(RECORD_FILE, str(BEST), str(LAST), "events.out.tfevents.*"),
    *("csv/metrics.csv", "csv/hparams.yaml"),
)
OVERWRITTEN = (*OWN, "reports.jsonl")
ASIDE = ".aside-"


def refuse_foreign(directory: Path, names: Iterable[str] = OVERWRITTEN, *, ours: bool | None = None) -> None:
    """Refuse a folder in which there is something that no run wrote, and that would be overwritten.

    Args:
        directory: of a run or a sweep.
        names: of what would be overwritten.
        ours: whether the folder is one of ours; by default whether it is marked as one where runs write.

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

    Args:
        directory: of a run.
        sweep: tells one start of a sweep from the others; "" for a run by itself.
        job: tells its jobs apart.

    Raises:
        FileExistsError: something is in the way that no run wrote.
    """
    refuse_foreign(directory)
    mark, now = directory / MARK, f"{sweep} {job}"
    before = mark.read_text(encoding="utf-8") if mark.is_file() else ""
    mark.parent.mkdir(exist_ok=True)
    mark.write_text(now, encoding="utf-8")
    return bool(sweep) and before.startswith(f"{sweep} ") and before != now


def set_aside(directory: Path, names: Iterable[str] = ()) -> Path | None:
    """Move what an earlier run left here, its record above all, into a hidden folder beside it.

    Return that folder, or None where nothing was left. Say so if a record in it is damaged.

    Args:
        directory: that was claimed.
        names: of the files; by default all that runs write, and the checkpoint that the record names.
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
