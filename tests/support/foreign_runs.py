"""Commands of the foreign project, and what they leave."""

from pathlib import Path

from commands import Command, result
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
    return f"+callbacks.once={{_target_:foreign.parts.Once,marker:{marker},kill:{str(kill).lower()}}}"


def recorded(root: Path, folder: str = "runs/mine") -> Record:
    """Return the record of a run."""
    record = read_record(root / "outputs" / folder)
    assert record
    return record


def resume(command: Command, root: Path, *typed: str) -> Record:
    """Interrupt a run, go on with it and compare it with one that was not interrupted; return its record."""
    run = (*typed, once(root / "marker", kill=False))
    assert command(TRAIN, *run).status == 130
    assert command(TRAIN, *run, "ckpt_path=last").status == 0
    resumed = recorded(root)
    (root / "outputs").rename(root / "resumed")
    assert command(TRAIN, *run).status == 0
    assert result(resumed) == result(recorded(root))
    return resumed
