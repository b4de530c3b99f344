"""What modules log in odd ways is recorded as what it is, or refused."""

import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from commands import Command
from foreign_runs import TRAIN, module, recorded
from overnight.runs.evaluate import evaluate

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:`training_step` returned `None`"),
    pytest.mark.filterwarnings("ignore:`LightningModule.configure_optimizers` returned `None`"),
    pytest.mark.filterwarnings(
        "ignore:The provided params to be frozen already exist"
    ),  # of BackboneFinetuning
]
CHECKPOINTS = Path("outputs", "runs", "mine", "checkpoints")
SAVES = "+callbacks.mine={_target_:lightning.pytorch.callbacks.ModelCheckpoint,every_n_train_steps:3"
FINETUNED = (
    "+callbacks.tuned={_target_:lightning.pytorch.callbacks.BackboneFinetuning,unfreeze_backbone_at_epoch:0}"
)


def odd(name: str) -> tuple[str, ...]:
    """Return the overrides of a run of one of these modules."""
    return (*module("regressor"), f"task._target_=odd_logging.{name}")


def measured_again(path: Path) -> dict[str, Any]:
    """Return what eval.py gives for a checkpoint."""
    settings = {"ckpt_path": str(path), "data_root": None, "predictions": None, "accelerator": "cpu"}
    return evaluate(OmegaConf.create(settings | {"tta": {}, "trust": ["foreign", "odd_logging"]}))


def test_a_metric_is_in_the_rows_of_those_epochs_in_which_it_was_logged(
    command: Command, tmp_path: Path
) -> None:
    assert command(TRAIN, *odd("EverySecondEpoch")).status == 0
    rows = recorded(tmp_path)["history"]
    assert [row["val_seldom"] for row in rows] == [0.0, 0.0, None, 2.0]
    assert [row["train_seldom"] for row in rows] == [None, 0.0, None, 2.0]


@pytest.mark.parametrize("often", [(), ("+trainer.val_check_interval=0.5",)], ids=["once", "twice"])
def test_of_what_is_logged_by_steps_the_last_step_counts(
    often: tuple[str, ...], command: Command, tmp_path: Path
) -> None:
    assert command(TRAIN, *odd("ByStep"), *often).status == 0
    assert [row["step"] for row in recorded(tmp_path)["history"]] == [None, 3.0, 3.0, 3.0]


def test_best_is_not_measured_in_what_has_measured_last(command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *odd("BestSoFar"), "lr=0.5").status == 0
    record = recorded(tmp_path)
    for which in ("best", "last"):
        again = measured_again(tmp_path / CHECKPOINTS / f"{which}.ckpt")
        assert {key: value for key, value in record[which].items() if key != "epoch"} == again
        assert again["val_smallest"] == again["val_error"]


def test_names_of_the_history_are_no_metrics(command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *odd("OwnNames")).status == 0
    record = recorded(tmp_path)
    assert [row["epoch"] for row in record["history"]] == [0, 1, 2, 3]
    assert {row["lr"] for row in record["history"]} == {None, 0.05}
    assert record["last"].keys() == {"epoch", "val_loss", "test_loss"}
    refused = command(TRAIN, *odd("OwnNames"), "metric=lr", "mode=min")
    assert "metric=lr: this is a column of every history, and no metric" in refused.stderr


def test_a_test_that_logs_under_names_of_validation_chooses_nothing(command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *odd("TestIsValidation")).status == 0
    record = recorded(tmp_path)
    best = record["best"]
    assert best["val_loss"] == record["history"][best["epoch"]]["val_loss"] != best["test_loss"]
    assert record["checked"] is True
    assert measured_again(tmp_path / CHECKPOINTS / "best.ckpt") == {
        key: value for key, value in best.items() if key != "epoch"
    }


def test_what_a_test_logs_by_itself_keeps_its_name(command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *odd("TestIsBoth")).status == 0
    best = recorded(tmp_path)["best"]
    assert best["test_loss"] == 42.0
    assert best["val_loss"] != best["test/val_loss"]


def test_an_epoch_without_validation_has_no_value_of_training_in_its_place(
    command: Command, tmp_path: Path
) -> None:
    command(TRAIN, *odd("OneName"), "+trainer.check_val_every_n_epoch=2")
    rows = recorded(tmp_path)["history"]
    assert [row["loss"] for row in rows] == [row["val_loss"] for row in rows]
    assert rows[1]["loss"] is None


def test_where_outputs_is_a_link_the_record_has_the_same_paths(command: Command, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "outputs").symlink_to(tmp_path / "elsewhere")
    command(TRAIN, *module("regressor"))
    assert recorded(tmp_path)["checkpoint"] == "checkpoints/best.ckpt"


def test_a_metric_of_training_and_validation_is_said_to_be_both_and_cannot_choose(
    command: Command, tmp_path: Path
) -> None:
    trained = command(TRAIN, *odd("OneName"))
    assert "loss: it is logged in training and in validation" in trained.stdout + trained.stderr
    rows = recorded(tmp_path)["history"]
    assert [row["loss"] for row in rows] == [row["val_loss"] for row in rows]
    refused = command(TRAIN, *odd("OneName"), "metric=loss", "mode=min", "task_name=other")
    assert refused.status == 1
    assert "metric=loss: it is logged in training and in validation under one name" in refused.stderr


def test_a_tiny_metric_is_checked_as_any_other(command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *odd("Unsaved")).status == 0
    assert "but the history has" in recorded(tmp_path)["checked"]


def test_a_test_set_that_cannot_be_measured_costs_no_record(command: Command, tmp_path: Path) -> None:
    ended = command(TRAIN, *module("regressor"), "data._target_=odd_logging.Unpublished")
    assert ended.status == 0
    record = recorded(tmp_path)
    why = "the test set could not be measured: FileNotFoundError: test.csv is not published yet"
    assert (record["status"], record["checked"]) == ("completed", why)
    assert record["best"].keys() == {"epoch", "val_loss"}
    assert f"not confirmed: {why}" in ended.stdout


def test_without_an_optimizer_the_history_has_no_rates(command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *odd("Unoptimized")).status == 0
    record = recorded(tmp_path)
    assert {row["lr"] for row in record["history"]} == {None}
    assert {row["val_loss"] for row in record["history"]} == {record["best"]["val_loss"]}


def test_what_is_drawn_in_validation_goes_into_the_folder_of_the_run(
    command: Command, tmp_path: Path
) -> None:
    assert command(TRAIN, *odd("Drawing")).status == 0
    assert [path.parent.name for path in tmp_path.rglob("picture.txt")] == ["mine"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (odd("Searching"), "Searching.configure_callbacks gives a LearningRateFinder: it would train with"),
        (odd("Leaving"), "the run ended its process: enough"),
        (odd("Impatient"), "'list' object has no attribute 'param_groups' (odd_logging.py, line "),
        ((*module("regressor"), f"{SAVES},save_last:true}}"), "save_last=true would overwrite last.ckpt"),
        (
            (*module("regressor"), "+callbacks.last_checkpoint.save_on_exception=true"),
            "callbacks.last_checkpoint.save_on_exception=True: best.ckpt and last.ckpt are written",
        ),
        ((*module("regressor"), "task_name=.."), "task_name=..: needed: a folder's name"),
        ((*module("regressor"), "hparams_search=tpe"), "hparams_search"),
    ],
)
def test_what_cannot_be_honoured_is_refused_in_one_message(
    typed: tuple[str, ...], message: str, command: Command
) -> None:
    refused = command(TRAIN, *typed)
    assert refused.status == 1
    assert message in refused.stderr


def test_a_run_does_not_go_on_from_the_middle_of_an_epoch(command: Command) -> None:
    command(TRAIN, *module("regressor"), f"{SAVES},save_top_k:-1}}")
    path = CHECKPOINTS / "epoch=0-step=3.ckpt"
    refused = command(TRAIN, "module=regressor", "task_name=other", f"ckpt_path={path}")
    assert refused.status == 1
    assert f"ckpt_path={path}: it was saved in the middle of epoch 1. Needed: one that was" in refused.stderr


@pytest.mark.parametrize(("name", "status"), [("Preempted", 3), ("Terminated", 0)])
def test_a_signal_that_ends_the_process_is_no_failure_of_the_run(
    name: str, status: int, command: Command, tmp_path: Path
) -> None:
    before = signal.signal(signal.SIGUSR2, lambda *_: sys.exit(3)), signal.getsignal(signal.SIGTERM)
    try:
        assert command(TRAIN, *odd(name)).status == status
    finally:
        signal.signal(signal.SIGUSR2, before[0])
        signal.signal(signal.SIGTERM, before[1])
    assert not list(tmp_path.rglob("run.json"))
