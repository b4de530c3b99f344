"""A run that was interrupted goes on as if it never had been."""

from pathlib import Path
from typing import Any

import pytest

from commands import SHORT, Command
from fcnlab import ledger
from fcnlab.cli import CONF
from fcnlab.task import Classifier

RUN = (*SHORT, "trainer.max_epochs=5", "task_name=long")
STUCK = "init=zeros"  # nothing is learned: every epoch is a bad one
WAYS = [
    *(f"optimizer={path.stem}" for path in sorted((CONF / "optimizer").glob("*.yaml"))),
    *(f"scheduler={path.stem}" for path in sorted((CONF / "scheduler").glob("*.yaml"))),
    *(f"regularization={path.stem}" for path in sorted((CONF / "regularization").glob("*.yaml"))),
    f"{STUCK} scheduler=plateau scheduler.scheduler.patience=0",
    f"{STUCK} scheduler=plateau scheduler.scheduler.patience=1",
    f"{STUCK} regularization=early_stopping callbacks.early_stopping.patience=4",
]


CLOCK_AND_COMMAND = ("seconds", "samples_per_second", "command", "overrides", "name")


@pytest.fixture
def interrupted(command: Command, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command, and press Ctrl-C in the middle of this epoch."""

    def run(epoch: int, *arguments: str) -> None:
        training_step = Classifier.training_step

        def press(task: Classifier, batch: Any, batch_idx: int) -> Any:
            if (task.current_epoch, batch_idx) == (epoch, 2):
                raise KeyboardInterrupt
            return training_step(task, batch, batch_idx)

        monkeypatch.setattr(Classifier, "training_step", press)
        assert command("train.py", *RUN, *arguments).status == 130
        monkeypatch.undo()

    return run


def recorded(root: Path) -> ledger.Record:
    record = ledger.read(root / "outputs" / "runs" / "long")
    assert record
    return record


def result(record: ledger.Record) -> dict[str, Any]:
    """Return all of a record that the clock and the command have no part in."""
    history = [row | {"seconds": None} for row in record["history"]]
    return record | {"history": history} | dict.fromkeys(CLOCK_AND_COMMAND)


@pytest.mark.parametrize("way", WAYS)
def test_a_resumed_run_is_the_one_that_was_not_interrupted(
    way: str, command: Command, interrupted: Any, tmp_path: Path
) -> None:
    interrupted(3, *way.split())
    assert not (tmp_path / "outputs" / "runs" / "long" / "run.json").exists()
    assert command("train.py", *RUN, *way.split(), "ckpt_path=last").status == 0
    resumed = recorded(tmp_path)
    (tmp_path / "outputs").rename(tmp_path / "resumed")
    command("train.py", *RUN, *way.split())
    assert result(resumed) == result(recorded(tmp_path))
