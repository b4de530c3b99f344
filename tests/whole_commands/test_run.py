"""One run from its command to its record."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

from commands import SHORT, Command
from overnight.records.record import Record, read_record

CURVES = {f"{split}/{name}" for split in ("train", "val", "test") for name in ("loss", "acc")} | {"lr"}


def recorded(directory: Path) -> Record:
    record = read_record(directory)
    assert record
    return record


def without_clock(record: Record) -> list[dict[str, Any]]:
    return [{key: value for key, value in row.items() if key != "seconds"} for row in record["history"]]


@pytest.fixture
def run_directory(remembered: Command, tmp_path: Path) -> Path:
    """Return the folder of a run that trained once for all tests."""
    assert remembered("train.py", *SHORT, "task_name=one", "regularization=dropout").status == 0
    return tmp_path / "outputs" / "runs" / "one"


def test_the_directory_holds_what_the_design_says_and_nothing_else(run_directory: Path) -> None:
    found = {path.name.partition(".tfevents")[0] for path in run_directory.iterdir()}
    assert found == {".hydra", "train.log", "run.json", "checkpoints", "events.out"}
    assert {path.name for path in (run_directory / "checkpoints").iterdir()} == {"best.ckpt", "last.ckpt"}
    assert len(list(run_directory.glob("events.out.tfevents.*"))) == 1


def test_nothing_is_left_outside_of_it(run_directory: Path, tmp_path: Path) -> None:
    assert [path.name for path in tmp_path.iterdir()] == ["outputs"]
    assert list((tmp_path / "outputs").rglob("run.json")) == [run_directory / "run.json"]


def test_the_record_is_whole(run_directory: Path) -> None:
    record = recorded(run_directory)
    assert record["status"] == "completed"
    assert record["error"] is None
    assert record["model"] == {"class": "fcnlab.nets.FCN", "parameters": 235146}
    (trained,) = record["optimizers"]
    assert (trained["class"], trained["lr"]) == ("torch.optim.adam.Adam", 0.001)
    assert record["trained"] == "ordinary"
    assert (record["metric"], record["mode"], record["checked"]) == ("val/acc", "max", True)
    assert [row["epoch"] for row in record["history"]] == [0, 1, 2]
    assert record["history"][0]["train/acc"] is None
    assert all(row[name] is not None for row in record["history"][1:] for name in CURVES)
    assert record["last"]["epoch"] == 2
    assert record["data"] == {"train": 500, "val": 100, "test": 200, "folds": 1, "fold": 0} | {
        name: record["data"][name] for name in ("split", "samples")
    }
    assert (run_directory / record["checkpoint"]).is_file()
    assert record["environment"]["device"] == "cpu"
    assert None not in (record["seconds"], record["samples_per_second"], record["fingerprint"])


def test_best_and_last_agree_with_the_history(run_directory: Path) -> None:
    record = recorded(run_directory)
    for measured in (record["best"], record["last"]):
        row = record["history"][measured["epoch"]]
        assert all(measured[key] == row[key] for key in ("val/loss", "val/acc", "test/loss", "test/acc"))
    assert record["best"]["val/acc"] == max(row["val/acc"] for row in record["history"][1:])


def test_train_accuracy_is_measured_without_dropout(run_directory: Path) -> None:
    record = recorded(run_directory)
    assert record["last"]["train/acc"] > record["history"][-1]["train/acc"]


BOTH = "regularization=[dropout,batch_norm]"


def test_the_same_command_gives_the_same_history(
    remembered: Command, command: Command, tmp_path: Path
) -> None:
    remembered("train.py", *SHORT, BOTH, "task_name=first")
    command("train.py", *SHORT, BOTH, "task_name=second")
    first, second = (recorded(tmp_path / "outputs" / "runs" / name) for name in ("first", "second"))
    assert without_clock(first) == without_clock(second)
    assert first["fingerprint"] == second["fingerprint"]


def test_another_seed_gives_another_history_on_the_same_split(
    remembered: Command, command: Command, tmp_path: Path
) -> None:
    remembered("train.py", *SHORT, BOTH, "task_name=first")
    command("train.py", *SHORT, BOTH, "task_name=other", "seed=1")
    zero, one = (recorded(tmp_path / "outputs" / "runs" / name) for name in ("first", "other"))
    assert without_clock(zero) != without_clock(one)
    assert zero["data"]["split"] == one["data"]["split"]


def test_a_completed_run_is_not_run_again(command: Command, run_directory: Path) -> None:
    before = (run_directory / "run.json").stat().st_mtime_ns
    assert command("train.py", *SHORT, "task_name=one", "regularization=dropout").status == 0
    assert (run_directory / "run.json").stat().st_mtime_ns == before


def test_another_configuration_moves_the_old_record_aside(command: Command, run_directory: Path) -> None:
    old = recorded(run_directory)
    changed = command("train.py", *SHORT, "task_name=one", "lr=0.005")
    assert changed.status == 0
    (aside,) = run_directory.glob(".aside-*")
    assert f"an earlier run was here (completed, 2 epochs); it lies in {aside} now\n" in changed.stdout
    assert recorded(run_directory)["config"]["lr"] == 0.005
    assert recorded(aside) == old
    assert len(list(run_directory.glob("events.out.tfevents.*"))) == 1
    assert (aside / "checkpoints" / "best.ckpt").is_file()


def test_zeros_stay_at_chance(command: Command, tmp_path: Path) -> None:
    command("train.py", *SHORT, "init=zeros", "task_name=zeros")
    history = recorded(tmp_path / "outputs" / "runs" / "zeros")["history"]
    assert [row["test/acc"] for row in history] == [0.1] * 3


def test_a_loss_that_is_not_finite_stops_the_run_at_once(command: Command, tmp_path: Path) -> None:
    assert command("train.py", *SHORT, "optimizer=sgd", "lr=1e10", "task_name=high").status == 0
    record = recorded(tmp_path / "outputs" / "runs" / "high")
    assert record["status"] == "diverged"
    assert "the training loss is" in record["error"]["message"]
    assert [row["epoch"] for row in record["history"]] == [0]
    assert record["best"]["epoch"] == 0


def test_a_loss_that_is_not_finite_after_the_last_step_is_divergence(
    command: Command, tmp_path: Path
) -> None:
    one_step = ["trainer.max_epochs=1", "+trainer.limit_train_batches=1"]
    command("train.py", *SHORT, "optimizer=sgd", "lr=1e30", *one_step, "task_name=late")
    assert recorded(tmp_path / "outputs" / "runs" / "late")["status"] == "diverged"


@pytest.mark.parametrize("logger", ["csv", "none", "tensorboard"])
def test_the_checkpoint_is_where_the_record_says(logger: str, command: Command, tmp_path: Path) -> None:
    command("train.py", *SHORT, f"logger={logger}", "task_name=saved")
    directory = tmp_path / "outputs" / "runs" / "saved"
    assert recorded(directory)["checkpoint"] == "checkpoints/best.ckpt"
    assert (directory / "checkpoints" / "best.ckpt").is_file()


def test_without_callbacks_nothing_is_saved_and_best_is_from_the_history(
    command: Command, tmp_path: Path
) -> None:
    command("train.py", *SHORT, "callbacks=none", "logger=none", "task_name=bare")
    directory = tmp_path / "outputs" / "runs" / "bare"
    assert {path.name for path in directory.iterdir()} == {".hydra", "train.log", "run.json"}
    record = recorded(directory)
    assert record["checkpoint"] is None
    assert record["best"]["val/acc"] == max(row["val/acc"] for row in record["history"])
    assert record["best"]["train/acc"] is None


def test_a_failed_run_says_why_and_leaves_a_traceback_in_its_log(command: Command, tmp_path: Path) -> None:
    result = command("train.py", *SHORT, "regularization=batch_norm", "data.batch_size=1", "task_name=odd")
    assert result.status == 1
    directory = tmp_path / "outputs" / "runs" / "odd"
    assert recorded(directory)["error"]["message"] in result.stderr
    assert "Traceback" in (directory / "train.log").read_text()


def test_early_stopping_stops(command: Command, tmp_path: Path) -> None:
    options = ["init=zeros", "regularization=early_stopping", "trainer.max_epochs=30", "task_name=stopped"]
    command("train.py", *SHORT, *options)
    assert len(recorded(tmp_path / "outputs" / "runs" / "stopped")["history"]) < 30


def test_tensorboard_reads_the_curves_and_the_hyperparameters(run_directory: Path) -> None:
    events = EventAccumulator(str(run_directory)).Reload()
    assert set(events.Tags()["scalars"]) == CURVES | {"hp/val_acc", "hp/test_acc"}
    record = recorded(run_directory)
    for curve in CURVES:
        drawn = {event.step: event.value for event in events.Scalars(curve)}
        recorded_values = {row["epoch"]: row[curve] for row in record["history"] if row[curve] is not None}
        assert drawn == pytest.approx(recorded_values)
    assert events.Scalars("hp/test_acc")[0].value == pytest.approx(record["best"]["test/acc"])
    start = plugin_data_pb2.HParamsPluginData.FromString(
        events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    )
    hparams = start.session_start_info.hparams
    assert {"optimizer", "lr", "model", "regularization", "seed"} <= set(hparams)
    assert hparams["regularization"].string_value == "dropout"
    assert all(value.WhichOneof("kind") in {"string_value", "number_value"} for value in hparams.values())


@pytest.mark.parametrize("net", ["Fourier", "Unkept"])
def test_what_no_checkpoint_keeps_is_not_confirmed(net: str, command: Command, tmp_path: Path) -> None:
    command("train.py", *SHORT, f"model._target_=forks.{net}", "hydra.run.dir=run", "lr=0.01")
    checked = recorded(tmp_path / "run")["checked"]
    assert re.search(r"val/acc of the best weights is .*, but the history .* register_buffer", checked)


@pytest.mark.parametrize(
    ("settings", "checked"),
    [
        ("task._target_=forked_tasks.LateLayers", "True"),
        (
            "+callbacks.mine={_target_:forks.Wrapped}",
            "its weights do not fit into a module that is built anew",
        ),
    ],
)
def test_layers_that_are_made_late_are_measured(
    settings: str, checked: str, command: Command, tmp_path: Path
) -> None:
    assert command("train.py", *SHORT, settings, "hydra.run.dir=run").status == 0
    record = recorded(tmp_path / "run")
    assert str(record["checked"]).startswith(checked)
    assert record["best"]["val/acc"] == record["history"][record["best"]["epoch"]]["val/acc"]


def test_an_optimizer_of_the_task_s_own_is_recorded_and_said(command: Command, tmp_path: Path) -> None:
    ended = command("train.py", *SHORT, "task._target_=forked_tasks.OwnOptimizer", "hydra.run.dir=run")
    (trained,) = recorded(tmp_path / "run")["optimizers"]
    assert (trained["class"], trained["lr"]) == ("torch.optim.sgd.SGD", 0.05)
    said = "trained with torch.optim.sgd.SGD, though the configuration names torch.optim.adam.Adam"
    assert said in ended.stdout + ended.stderr


WRONG = {
    "model._target_=forks.Answers": "Answers gives torch.int64 [100] for a batch of 100 samples. ",
    "model._target_=forks.Idle": "Idle: it has no parameters that are trained",
    "'+augmentation.mine={_target_:forks.Shortened,p:1}'": "Shortened: of images [128, 1, 28, 28] it made",
    "'+augmentation.mine={_target_:torch.nn.Identity}'": "mine: Identity is no overnight.training.augm",
}


@pytest.mark.parametrize("settings", WRONG)
def test_a_class_of_ones_own_that_gives_something_else_is_told_so(settings: str, command: Command) -> None:
    failed = command("train.py", *SHORT, *shlex.split(settings))
    assert failed.status == 1
    assert WRONG[settings] in failed.stderr
