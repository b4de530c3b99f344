"""Commands of the foreign project, and what they leave."""

from pathlib import Path

from overnight.records.record import Record, read_record

PROJECT = Path("tests", "support", "foreign_project")
TRAIN, EVAL = str(PROJECT / "train.py"), str(PROJECT / "eval.py")
MODULES = (
    *("boring", "regressor", "saving", "manual", "gan", "unvalidated", "dicts", "two_validations", "workers"),
    *("late", "drawn", "drawing", "undefined"),
)


def module(name: str) -> tuple[str, str]:
    """Return the overrides of a run of this module."""
    return f"module={name}", "task_name=mine"


def once(marker: Path, *, kill: bool) -> str:
    """Return the override that ends the process in its second epoch, unless the marker is there."""
    return f"+callbacks.once={{_target_:foreign.Once,marker:{marker},kill:{str(kill).lower()}}}"


def recorded(root: Path, folder: str = "runs/mine") -> Record:
    """Return the record of a run."""
    record = read_record(root / "outputs" / folder)
    assert record
    return record
