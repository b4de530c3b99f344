"""Modules and data that know nothing of this project are trained, resumed, swept and measured."""

import csv
import math
import random
import re
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from commands import Command, every
from foreign.parts import OneAtATime
from foreign_runs import EVAL, MODULES, TRAIN, module, once, recorded, resume
from overnight.config.errors import ConfigError
from overnight.runs.evaluate import evaluate
from overnight.training.generators import generator_states, restore_generators, seeded
from overnight.training.parts import build_task

pytestmark = [
    pytest.mark.filterwarnings("ignore:Attribute 'net' is an instance of"),  # Lightning, of such a module
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings("ignore:This process.*is multi-threaded, use of fork"),  # of loaders' workers
]
ONE_AT_A_TIME = (
    '+logger.mine={_target_:foreign.parts.OneAtATime,save_dir:"${hydra:runtime.output_dir}",name:mine}'
)
BEST = Path("outputs", "runs", "mine", "checkpoints", "best.ckpt")


def measured_again(path: Path) -> dict[str, Any]:
    """Return what eval.py gives for a checkpoint."""
    settings = {"ckpt_path": str(path), "data_root": None, "predictions": None, "accelerator": "cpu"}
    return evaluate(OmegaConf.create(settings | {"tta": {}, "trust": ["foreign"]}))


@pytest.mark.parametrize("name", every(4, MODULES))
def test_its_record_is_what_its_checkpoints_give(name: str, command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *module(name)).status == 0
    record = recorded(tmp_path)
    assert [row["epoch"] for row in record["history"]] == [0, 1, 2, 3]
    again = {"last": measured_again(tmp_path / BEST.with_name("last.ckpt"))}
    if record["checked"] is True:
        again["best"] = measured_again(tmp_path / BEST)
        row = record["history"][record["best"]["epoch"]]
        assert math.isclose(record["best"][record["metric"]], row[record["metric"]], rel_tol=1e-5)
    for which, metrics in again.items():
        finite = {key: value for key, value in metrics.items() if math.isfinite(value)}
        assert {key: record[which][key] for key in finite} == pytest.approx(finite, rel=1e-5)


QUICK = ("regressor", "gan")
"""Modules that go on in the default tests; the others do in all tests."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.slow]) for name in MODULES]
)
def test_resumed_it_is_as_if_it_had_not_been_interrupted(name: str, command: Command, tmp_path: Path) -> None:
    resume(command, tmp_path, *module(name))


@pytest.mark.parametrize("name", every(4, ["regressor", "boring", "gan", "unvalidated"]))
def test_it_is_swept(name: str, command: Command, tmp_path: Path) -> None:
    swept = command(TRAIN, "-m", *module(name), "seed=0,1", ONE_AT_A_TIME)
    assert swept.status == 0
    for seed in (0, 1):
        assert recorded(tmp_path, f"sweeps/mine/seed={seed}")["status"] == "completed"
        assert len([*tmp_path.glob(f"outputs/sweeps/mine/seed={seed}/mine/*/metrics.csv")]) == 1
    assert OneAtATime.running == []
    assert (tmp_path / "outputs" / "sweeps" / "mine" / "results.csv").is_file()
    assert all(text.endswith("'trust=[foreign]'") for text in re.findall(r"measure: (.*)", swept.stdout))


def test_its_hyperparameter_is_swept_where_it_takes_one(command: Command, tmp_path: Path) -> None:
    command(TRAIN, "-m", *module("regressor"), "lr=0.05,0.0001")
    fast, slow = (recorded(tmp_path, f"sweeps/mine/lr={lr}") for lr in ("0.05", "0.0001"))
    assert fast["best"]["val_loss"] < slow["best"]["val_loss"]


def test_one_that_logs_nothing_has_no_best_and_the_record_says_why(command: Command, tmp_path: Path) -> None:
    assert "there is no best: the task logs no metric" in command(TRAIN, *module("boring")).stdout
    record = recorded(tmp_path)
    assert (record["best"], record["checked"], record["checkpoint"]) == (
        None,
        "the task logs no metric",
        None,
    )
    assert record["last"] == {"epoch": 3}


def test_without_a_metric_the_record_says_what_could_be_one(command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *module("regressor"), "metric=null", "mode=null").status == 0
    record = recorded(tmp_path)
    assert record["best"] is None
    remedy = "To have one, type for example: metric=val_loss mode=max (or min)"
    assert record["checked"] == f"metric=null. {remedy}"


@pytest.mark.parametrize(
    ("name", "metric", "message"),
    [
        ("boring", "val_loss", "metric=val_loss: the task does not log it. Needed: one of (it logs nothing)"),
        ("regressor", "val_acc", "Needed: one of val_loss. Type for example: metric=val_loss"),
        ("regressor", "nonsense", "Needed: one of val_loss, train_loss. Type for example: metric=val_loss"),
        ("regressor", "test_loss", "Type for example: metric=val_loss"),
    ],
)
def test_a_metric_that_nobody_logs_is_refused(name: str, metric: str, message: str, command: Command) -> None:
    refused = command(TRAIN, *module(name), f"metric={metric}", "mode=min")
    assert refused.status == 1
    assert message in refused.stderr


@pytest.mark.parametrize("name", every(3, ["unvalidated", "regressor", "gan"]))
def test_a_metric_of_training_may_choose(name: str, command: Command, tmp_path: Path) -> None:
    metric = "g_loss" if name == "gan" else "train_loss"
    assert command(TRAIN, *module(name), f"metric={metric}", "mode=min").status == 0
    record = recorded(tmp_path)
    row = record["history"][record["best"]["epoch"]]
    assert record["best"][metric] == row[metric] == min(row[metric] for row in record["history"][1:])
    assert f"in epoch {row['epoch']} it was {row[metric]}" in record["checked"]


def test_a_metric_that_is_never_a_number_chooses_nothing(command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *module("undefined"), "metric=val_undefined", "mode=min").status == 0
    record = recorded(tmp_path)
    assert (record["status"], record["best"]) == ("completed", None)
    assert record["checked"] == "val_undefined was never measured as a finite number"


@pytest.mark.parametrize(
    ("typed", "message"),
    [("data=foo", "data=foo: needed: a section with a _target_"), ("+decay=1", "no part of the run takes")],
)
def test_what_would_not_be_used_is_refused_without_a_schema(
    typed: str, message: str, command: Command
) -> None:
    refused = command(TRAIN, *module("regressor"), typed)
    assert refused.status == 1
    assert message in refused.stderr


def test_a_checkpoint_that_could_not_be_loaded_again_is_refused_when_it_is_saved(command: Command) -> None:
    refused = command(TRAIN, *module("regressor"), "+callbacks.mine={_target_:foreign.parts.NumPyState}")
    assert refused.status == 1
    assert "a checkpoint of this run would hold a numpy" in refused.stderr
    assert "Needed: tensors, numbers, texts, lists, dicts" in refused.stderr


def test_it_begins_with_the_weights_of_another_run(
    remembered: Command, command: Command, tmp_path: Path
) -> None:
    remembered(TRAIN, *module("regressor"))
    first = recorded(tmp_path)
    command(TRAIN, "module=regressor", "task_name=second", f"init_from={BEST}")
    assert recorded(tmp_path, "runs/second")["history"][0]["val_loss"] == first["best"]["val_loss"]
    other = command(TRAIN, "module=gan", "task_name=third", f"init_from={BEST}")
    assert other.status == 1
    assert f"init_from={BEST}: Error(s) in loading state_dict for GAN" in other.stderr


def test_predictions_of_pairs_are_written_and_others_refused(
    remembered: Command, command: Command, tmp_path: Path
) -> None:
    remembered(TRAIN, *module("regressor"))
    assert command(EVAL, "trust=[foreign]", f"ckpt_path={BEST}", "predictions=p.csv").status == 0
    with (tmp_path / "p.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["index", "target", "prediction"]
    assert len(rows) == 21
    command(TRAIN, "module=dicts", "task_name=dicts")
    refused = command(
        EVAL, "trust=[foreign]", f"ckpt_path={str(BEST).replace('mine', 'dicts')}", "predictions=q.csv"
    )
    assert refused.status == 1
    assert "the predictions cannot be written" in refused.stderr


@pytest.mark.filterwarnings("ignore:Your `predict_dataloader`'s sampler has shuffling")
def test_predictions_stand_beside_their_own_targets_in_whatever_order(
    command: Command, tmp_path: Path
) -> None:
    command(TRAIN, *module("regressor"), "data._target_=foreign.data.ShuffledLine")
    command(EVAL, "trust=[foreign]", f"ckpt_path={BEST}", "predictions=p.csv")
    with (tmp_path / "p.csv").open() as file:
        errors = [(float(row["target"]) - float(row["prediction"])) ** 2 for row in csv.DictReader(file)]
    logged = recorded(tmp_path)["best"]["test_loss"]  # of batches that count alike, the last one is short
    assert mean(errors) == pytest.approx(logged, rel=0.1)


def test_eval_prints_a_row_for_each_split(command: Command) -> None:
    command(TRAIN, *module("two_validations"))
    _, *lines = command(EVAL, "trust=[foreign]", f"ckpt_path={BEST}").stdout.splitlines()
    assert lines[0].split() == ["loss", "loss/dataloader_idx_0", "loss/dataloader_idx_1"]
    assert [line.split()[0] for line in lines[1:]] == ["val", "test"]


def draw() -> tuple[float, float, float]:
    """Draw a number from each global generator."""
    return torch.rand(()).item(), float(np.random.rand()), random.random()  # noqa: NPY002, S311


def test_all_generators_go_on_where_they_were() -> None:
    states = generator_states()
    drawn = draw()
    restore_generators(states)
    assert draw() == drawn


def test_what_is_drawn_from_a_seed_changes_nothing_for_others() -> None:
    states = generator_states()
    with seeded(7):
        first = draw()
    with seeded(7):
        assert draw() == first
    after = draw()
    restore_generators(states)
    assert draw() == after


@pytest.mark.slow
def test_a_logger_with_a_run_for_the_whole_process_finishes_one_that_is_interrupted(
    command: Command, tmp_path: Path
) -> None:
    assert command(TRAIN, *module("regressor"), ONE_AT_A_TIME, once(tmp_path / "m", kill=False)).status == 130
    assert OneAtATime.running == []


def test_a_net_with_layers_of_unknown_size_is_refused() -> None:
    with pytest.raises(ConfigError, match="its size is not known before the first batch"):
        build_task({"task": {"_target_": "torch.nn.LazyLinear", "out_features": 2}})
