"""A run that was interrupted goes on as if it never had been."""

import csv
from pathlib import Path
from typing import Any

import pytest

from commands import CONF, SHORT, Command, contents, every, result
from fcnlab.task import Classifier
from overnight.records.record import Record, read_record

RUN = (*SHORT, "trainer.max_epochs=5", "task_name=long", "logger=none", "model.hidden_sizes=[32]")
STUCK = "init=zeros"  # nothing is learned: every epoch is a bad one
DELTA = "+callbacks.early_stopping.min_delta=0.1"  # the last bits of its loss may well become better
EARLY = (STUCK, "regularization=early_stopping", "callbacks.early_stopping.patience=1", DELTA)
WAYS = (
    "optimizer=momentum regularization=[dropout,batch_norm] augmentation=[flip,affine,mixup,cutmix]",
    "optimizer=adam scheduler=one_cycle",
    "scheduler=cosine",
    f"{STUCK} scheduler=plateau scheduler.scheduler.patience=0",
    f"{STUCK} regularization=early_stopping callbacks.early_stopping.patience=4 {DELTA}",
)
OPTIONS = [
    f"{group}={path.stem}"
    for group in ("optimizer", "scheduler", "regularization", "augmentation", "loss")
    for path in sorted((CONF / group).glob("*.yaml"))
]


@pytest.fixture
def interrupted(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Run a command, and press Ctrl-C in the middle of this epoch."""

    def run(epoch: int, *arguments: str) -> None:
        training_step = Classifier.training_step

        def press(task: Classifier, batch: Any, batch_idx: int) -> Any:
            if (task.current_epoch, batch_idx) == (epoch, 2):
                raise KeyboardInterrupt
            return training_step(task, batch, batch_idx)

        monkeypatch.setattr(Classifier, "training_step", press)
        stopped = command("train.py", *RUN, *arguments)
        monkeypatch.undo()
        assert stopped.status == 130
        assert stopped.stderr.strip().startswith("Interrupted")
        assert not (tmp_path / "outputs" / "runs" / "long" / "run.json").exists()

    return run


def recorded(root: Path) -> Record:
    record = read_record(root / "outputs" / "runs" / "long")
    assert record
    return record


@pytest.mark.parametrize(
    "way", [*every(4, WAYS), *(pytest.param(o, marks=pytest.mark.slow) for o in OPTIONS)]
)
def test_a_resumed_run_is_the_one_that_was_not_interrupted(
    way: str, command: Command, interrupted: Any, tmp_path: Path
) -> None:
    interrupted(3, *way.split())
    assert command("train.py", *RUN, *way.split(), "ckpt_path=last").status == 0
    resumed = recorded(tmp_path)
    (tmp_path / "outputs").rename(tmp_path / "resumed")
    command("train.py", *RUN, *way.split())
    assert result(resumed) == result(recorded(tmp_path))


def test_a_single_run_killed_before_its_first_epoch_ended_begins_anew(
    command: Command, interrupted: Any, tmp_path: Path
) -> None:
    interrupted(0, "trainer.max_epochs=2")
    resumed = command("train.py", *RUN, "trainer.max_epochs=2", "ckpt_path=last")
    assert resumed.status == 0
    assert resumed.stdout.count("the run starts from the beginning") == 1
    assert len(recorded(tmp_path)["history"]) == 3


@pytest.mark.slow
def test_an_interrupted_run_that_was_moved_still_knows_its_best(
    command: Command, interrupted: Any, tmp_path: Path
) -> None:
    interrupted(3, STUCK)  # the first epoch stays the best one
    (tmp_path / "outputs" / "runs" / "long").rename(tmp_path / "outputs" / "runs" / "moved")
    command("train.py", *RUN, STUCK, "task_name=moved", "ckpt_path=last")
    record = read_record(tmp_path / "outputs" / "runs" / "moved")
    assert record
    assert (record["best"]["epoch"], record["last"]["epoch"]) == (1, 5)


def test_another_configuration_does_not_go_on_from_the_checkpoint(
    command: Command, interrupted: Any, tmp_path: Path
) -> None:
    interrupted(1)
    result = command("train.py", *RUN, "lr=0.5", "ckpt_path=last")
    assert result.status == 1
    assert "is of a run with other settings (lr=0.5" in result.stderr
    assert (tmp_path / "outputs" / "runs" / "long" / "checkpoints" / "last.ckpt").is_file()


def test_a_damaged_checkpoint_is_refused_and_kept(command: Command, interrupted: Any, tmp_path: Path) -> None:
    interrupted(1)
    checkpoint = tmp_path / "outputs" / "runs" / "long" / "checkpoints" / "last.ckpt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    result = command("train.py", *RUN, "ckpt_path=last")
    assert result.status == 1
    assert "last.ckpt cannot be read" in result.stderr
    assert checkpoint.stat().st_size == 1000


def test_a_damaged_record_is_said_set_aside_and_run_again(command: Command, tmp_path: Path) -> None:
    command("train.py", *RUN, "trainer.max_epochs=1")
    path = tmp_path / "outputs" / "runs" / "long" / "run.json"
    half = path.read_text()[:500]
    path.write_text(half)
    result = command("train.py", *RUN, "trainer.max_epochs=1")
    assert result.status == 0
    assert "run.json is damaged" in result.stdout
    assert recorded(tmp_path)["status"] == "completed"
    assert [kept.read_text() for kept in path.parent.glob(".aside-*/run.json")] == [half]


def test_last_is_the_last_epoch_also_when_the_best_was_before(command: Command, tmp_path: Path) -> None:
    command("train.py", *RUN, STUCK, "trainer.max_epochs=2")
    record = recorded(tmp_path)
    assert (record["best"]["epoch"], record["last"]["epoch"]) == (1, 2)
    assert record["last"]["val/loss"] == record["history"][-1]["val/loss"]


@pytest.mark.parametrize("scheduler", every(3, ["plateau", "none", "step"]))
@pytest.mark.parametrize("path", every(2, ["last", "outputs/runs/long/checkpoints/last.ckpt"]))
def test_a_finished_run_can_be_given_more_epochs_and_is_the_longer_one(
    path: str, scheduler: str, command: Command, tmp_path: Path
) -> None:
    way = [*RUN, f"scheduler={scheduler}", "optimizer=momentum", "regularization=dropout"]
    command("train.py", *way, "trainer.max_epochs=2")
    assert command("train.py", *way, f"ckpt_path={path}").status == 0
    stretched = recorded(tmp_path)
    (tmp_path / "outputs").rename(tmp_path / "stretched")
    command("train.py", *way)
    named = {"name": None}  # after what was typed
    assert result(stretched) | named == result(recorded(tmp_path)) | named


UNSTRETCHED: dict[str, dict[str, str]] = {
    "scheduler=cosine": {"": "follows a schedule"},
    "scheduler=one_cycle": {"": "follows a schedule"},
    " ".join(EARLY): {"": "ended by itself"},
    "": {
        "trainer.max_epochs=1": "2 of which are trained",
        "lr=0.3": "other settings (lr=0.3",
        "ckpt_path=outputs/runs/long/checkpoints/best.ckpt": "that very folder",
        "trainer.max_epochs=two": "trainer.max_epochs=two",
        "optimizer.betas=[2,3] ckpt_path=null": "betas",
        "ckpt_path=elsewhere.ckpt": "no such file",
    },
}
"""Of a run as it was trained: what is typed to go on, and what is said."""


@pytest.mark.parametrize("first", UNSTRETCHED)
def test_what_cannot_be_stretched_is_refused_and_every_file_stays(
    first: str, command: Command, tmp_path: Path
) -> None:
    command("train.py", *RUN, *first.split(), f"trainer.max_epochs={3 if STUCK in first else 2}")
    before = contents(tmp_path)
    for then, said in UNSTRETCHED[first].items():
        refused = command("train.py", *RUN, *first.split(), "ckpt_path=last", *then.split())
        assert (refused.status, said in refused.stderr) == (1, True), refused.stderr
        assert contents(tmp_path) == before


def test_a_run_that_goes_on_elsewhere_takes_the_best_along(command: Command, tmp_path: Path) -> None:
    command("train.py", *RUN, STUCK, "trainer.max_epochs=2")
    last = "ckpt_path=outputs/runs/long/checkpoints/last.ckpt"
    assert command("train.py", *RUN, STUCK, last, "task_name=on").status == 0
    record = read_record(tmp_path / "outputs" / "runs" / "on")
    assert record
    assert (record["best"]["epoch"], record["last"]["epoch"], record["checked"]) == (1, 5, True)


def test_what_a_checkpoint_brings_along_is_not_recorded_otherwise(command: Command, tmp_path: Path) -> None:
    way = [*RUN, "scheduler=plateau", "regularization=early_stopping"]
    command("train.py", *way, "trainer.max_epochs=2")
    last = "ckpt_path=outputs/runs/long/checkpoints/last.ckpt"
    for changed, told in {
        "lr=0.3": "lr",
        "weight_decay=0.1": "weight_decay",
        "scheduler=one_cycle": "",
        "scheduler=step": "schedule of the learning rate",
        "scheduler.scheduler.factor=0.5": "schedule of the learning rate",
        "callbacks.early_stopping.patience=9": "EarlyStopping.patience",
    }.items():
        refused = command("train.py", *way, last, changed, "task_name=on")
        assert (refused.status, f"another {told}" in refused.stderr) == (1, True), refused.stderr
        assert not (tmp_path / "outputs" / "runs" / "on").exists()


def test_the_csv_curves_of_an_interrupted_run_are_whole(
    command: Command, interrupted: Any, tmp_path: Path
) -> None:
    monitor = "+callbacks.lr={_target_:lightning.pytorch.callbacks.LearningRateMonitor,logging_interval:step}"
    curves = ["logger=csv", "trainer.log_every_n_steps=1", monitor, "scheduler=step", "trainer.max_epochs=3"]

    def drawn() -> set[tuple[str, ...]]:
        path = tmp_path / "outputs" / "runs" / "long" / "csv" / "metrics.csv"
        with path.open() as file:
            rows = list(csv.DictReader(file))
        return {tuple(sorted(f"{k} {float(v):.6g}" for k, v in row.items() if v)) for row in rows}

    interrupted(1, *curves)
    assert command("train.py", *RUN, *curves, "ckpt_path=last").status == 0
    found = drawn()
    (tmp_path / "outputs").rename(tmp_path / "resumed")
    command("train.py", *RUN, *curves)
    assert found == drawn()
