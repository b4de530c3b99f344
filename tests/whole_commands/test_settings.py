"""Whatever Lightning is told: the record of the run is true."""

import csv
import math
import shlex
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from commands import Command, every, result
from overnight.records.record import Record, read_record
from overnight.runs.evaluate import evaluate
from tiny_runs import CALLBACK, TINY

EMA = f"'+callbacks.ema={{{CALLBACK}.EMAWeightAveraging,decay:0.9}}'"
HONOURED = (
    "",
    "+trainer.val_check_interval=0.5",
    "+trainer.check_val_every_n_epoch=2 trainer.max_epochs=5",
    "+trainer.check_val_every_n_epoch=2 trainer.max_epochs=5 scheduler=plateau",
    EMA,
    "regularization=[ema,batch_norm,input_dropout]",
    "regularization=early_stopping init=zeros callbacks.early_stopping.patience=1 trainer.max_epochs=5",
    "regularization=early_stopping callbacks.early_stopping.monitor=train/loss",
    "+trainer.limit_train_batches=0.5",
    "+trainer.limit_train_batches=2",
    "+trainer.max_steps=5",
    "+trainer.max_steps=14",
    "+trainer.accumulate_grad_batches=4",
    "+trainer.gradient_clip_val=1.0",
    "+trainer.gradient_clip_val=1.0 +trainer.gradient_clip_algorithm=value optimizer=rmsprop",
    "metrics=loss",
    "metrics=f1",
    "metrics=calibration",
    """'callbacks.checkpoint.filename="epoch_{epoch:03d}"'""",
    """'callbacks.last_checkpoint.filename="zz_{epoch}"'""",
    "debug=default",
    "debug=profiler",
    "debug=overfit trainer.max_epochs=3",
    "+trainer.precision=64",
    "trainer=bf16 trainer.accelerator=cpu",
    "scheduler=cosine",
    "scheduler=one_cycle",
    "scheduler=warmup_cosine optimizer=adamw",
    "scheduler=step",
    "scheduler=cosine scheduler.horizon=[] '+scheduler.scheduler.T_max=1000'",
    "+trainer.reload_dataloaders_every_n_epochs=1",
    "+trainer.use_distributed_sampler=false",
    "+trainer.max_time=00:00:00:30",
    f"'+callbacks.lr={{{CALLBACK}.LearningRateMonitor,logging_interval:epoch}}' logger=csv",
    f"'+callbacks.lr={{{CALLBACK}.LearningRateMonitor}}' logger=csv trainer.log_every_n_steps=2",
    "trainer=bf16 trainer.accelerator=cpu +trainer.gradient_clip_val=1.0 optimizer.fused=false",
    "metrics=loss +trainer.val_check_interval=0.5",
    "metrics=loss +trainer.val_check_interval=3",
    "metrics=loss +trainer.max_steps=5",
    "metrics=loss +trainer.check_val_every_n_epoch=2 trainer.max_epochs=5",
    f"'+callbacks.mine={{{CALLBACK}.ModelCheckpoint,dirpath:mine,monitor:val/loss,save_top_k:3}}'",
    "track_test=false",
    "data.folds=5",
    "logger=csv",
    "logger=[tensorboard,csv]",
    "task._target_=altered.Altered",
    "regularization=[dropout,batch_norm,label_smoothing]",
    "'+loss.train.weight={_target_:torch.tensor,data:[1,1,1,1,1,1,1,1,1,2.5]}'",
    "+trainer.inference_mode=false",
    "+trainer.barebones=false",
    "+trainer.benchmark=true",
    "+trainer.deterministic=true",
    *(
        "logger=null",
        "~logger",
        "logger=[]",
        "scheduler=null",
        "~scheduler",
        "scheduler=[]",
        "scheduler=none",
    ),
    *("regularization=null", "~regularization", "regularization=[]", "experiment=null", "debug=none"),
    *("augmentation=null", "~augmentation", "augmentation=[]", "augmentation=[flip,mixup]"),
    *("hparams_search=[]", "model=[wide]", "optimizer=[adam]", "callbacks.progress_bar=null"),
    *("~callbacks.progress_bar", "logger=tensorboard logger.tensorboard=null", "metrics=[f1]"),
    *("+optimizer.amsgrad=true", "++lr=0.01", "'tags=[first,2]'", "seed=4294967295", "tags=[]"),
    *("trainer.devices='\"1\"'", "+trainer.precision=bf16-mixed", "+trainer.precision=32"),
    *("+trainer.limit_val_batches=1.0", "+trainer.overfit_batches=0", "+trainer.num_nodes=1"),
    *("'+scheduler.scheduler.last_epoch=-1' scheduler=cosine", "metric=val/loss mode=min"),
    *("data.fold=2 data.folds=3", "data.shuffle=false", "data.batch_size=1000", "data.eval_batch_size=7"),
)


def run_directory(root: Path) -> Path:
    return root / "outputs" / "runs" / "tiny"


def recorded(root: Path) -> Record:
    record = read_record(run_directory(root))
    assert record
    return record


def trained(command: Command, root: Path, *settings: str) -> Record:
    run = command("train.py", *TINY, *settings)
    assert run.status == 0, run.stderr
    record = recorded(root)
    assert record["status"] == "completed"
    return record


def measured_again(path: Path) -> dict[str, Any]:
    settings = {"ckpt_path": str(path), "data_root": None, "predictions": None, "accelerator": "cpu"}
    return evaluate(OmegaConf.create(settings | {"tta": {}, "trust": ["altered"]}))


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(
        math.isclose(value, other[name], rel_tol=1e-5, abs_tol=1e-6) for name, value in one.items()
    )


@pytest.mark.parametrize("settings", every(15, HONOURED))
def test_the_record_is_what_its_checkpoints_give(settings: str, command: Command, tmp_path: Path) -> None:
    record = trained(command, tmp_path, *shlex.split(settings))
    assert record["checked"] is True
    best, last = record["best"], record["last"]
    row = record["history"][best["epoch"]]
    assert math.isclose(best[record["metric"]], row[record["metric"]], rel_tol=1e-5)
    row = record["history"][-1]
    assert last["epoch"] == row["epoch"]
    assert all(
        math.isclose(last[name], row[name], rel_tol=1e-5) for name in ("val/loss", "val/acc") if row[name]
    )
    saved = sorted((run_directory(tmp_path) / "checkpoints").glob("*.ckpt"))
    for measured, path in ((best, run_directory(tmp_path) / record["checkpoint"]), (last, saved[-1])):
        again = measured_again(path)
        assert same(again, {name: value for name, value in measured.items() if name in again})
        assert measured.keys() - {"epoch"} <= again.keys()


def test_a_metric_of_the_users_callback_chooses_and_the_record_says_that_it_is_not_measured_again(
    command: Command, tmp_path: Path
) -> None:
    mine = ("+callbacks.mine={_target_:altered.Counting}", "metric=mine/count", "mode=max")
    record = trained(command, tmp_path, *mine)
    assert (record["best"]["epoch"], record["best"]["mine/count"]) == (3, 2.0)
    assert record["checked"] == "mine/count is of training, or of a callback; in epoch 3 it was 2.0"


def test_a_metric_of_training_chooses_by_its_mean_over_the_epoch(command: Command, tmp_path: Path) -> None:
    record = trained(command, tmp_path, "metric=train/loss", "mode=min")
    row = record["history"][record["best"]["epoch"]]
    assert row["train/loss"] == min(row["train/loss"] for row in record["history"][1:])
    assert f"in epoch {row['epoch']} it was {row['train/loss']}" in record["checked"]
    again = measured_again(run_directory(tmp_path) / record["checkpoint"])
    assert math.isclose(again["train/loss"], record["best"]["train/loss"], rel_tol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        EMA,
        "regularization=[ema,batch_norm,dropout,input_dropout] scheduler=warmup_cosine optimizer=adamw",
        "metrics=loss +trainer.val_check_interval=0.5",
        "+trainer.max_steps=19",
        "scheduler=plateau init=zeros scheduler.scheduler.patience=0 +trainer.check_val_every_n_epoch=2",
        "+trainer.accumulate_grad_batches=3 scheduler=one_cycle",
        "trainer=bf16 trainer.accelerator=cpu regularization=dropout",
    ],
)
def test_an_interrupted_run_goes_on_bit_for_bit(settings: str, command: Command, tmp_path: Path) -> None:
    once = f"+callbacks.once={{_target_:foreign.parts.Once,marker:{tmp_path / 'marker'},kill:false}}"
    run = (*TINY, "trainer.max_epochs=5", *shlex.split(settings), once)
    assert command("train.py", *run).status == 130
    assert command("train.py", *run, "ckpt_path=last").status == 0
    resumed = recorded(tmp_path)
    (tmp_path / "outputs").rename(tmp_path / "resumed")
    assert command("train.py", *run).status == 0
    assert result(resumed) == result(recorded(tmp_path))


@pytest.mark.slow
def test_a_table_of_curves_keeps_the_epochs_before_an_interruption(command: Command, tmp_path: Path) -> None:
    once = f"+callbacks.once={{_target_:foreign.parts.Once,marker:{tmp_path / 'marker'},kill:false}}"
    command("train.py", *TINY, "logger=csv", once)
    assert command("train.py", *TINY, "logger=csv", once, "ckpt_path=last").status == 0
    with (run_directory(tmp_path) / "csv" / "metrics.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["val/acc"]]
    assert [row["step"] for row in rows] == ["0", "1", "2", "3"]
    assert [float(row["val/acc"]) for row in rows] == [
        row["val/acc"] for row in recorded(tmp_path)["history"]
    ]


def test_double_precision_is_evaluated_and_predicted_with(command: Command, tmp_path: Path) -> None:
    record = trained(command, tmp_path, "+trainer.precision=64")
    path = run_directory(tmp_path) / record["checkpoint"]
    assert command("eval.py", f"ckpt_path={path}", "predictions=p.csv").status == 0
    assert len((tmp_path / "p.csv").read_text().splitlines()) == 51


@pytest.mark.parametrize("off", every(4, ["callbacks=none", "callbacks=null", "~callbacks", "callbacks=[]"]))
def test_without_callbacks_there_is_nothing_to_check(off: str, command: Command, tmp_path: Path) -> None:
    record = trained(command, tmp_path, off)
    assert record["checkpoint"] is None
    assert record["checked"] == "not measured again: no checkpoint of the best weights was saved"
    assert record["best"]["val/acc"] == max(row["val/acc"] for row in record["history"])


@pytest.mark.parametrize("logger", ["none", "tensorboard"])
def test_one_batch_of_everything_has_no_best(logger: str, command: Command, tmp_path: Path) -> None:
    record = trained(command, tmp_path, "debug=fast_dev_run", f"logger={logger}")
    assert record["best"] is None
    assert record["checked"] == "trainer.fast_dev_run=True: only a part was measured"


def test_the_samples_of_a_second_are_those_that_were_trained_on(command: Command, tmp_path: Path) -> None:
    for settings, samples in {"+trainer.limit_train_batches=2": 192, "+trainer.max_steps=8": 232}.items():
        record = trained(command, tmp_path, settings)
        assert round(record["samples_per_second"] * record["seconds"]) == samples
