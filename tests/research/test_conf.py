"""Every option of every group is composed, built and trained for a step."""

import math
import re
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from commands import CONF, SHORT, Command, every
from experiments import Compose
from fcnlab.schema import Keys
from overnight.config import schema
from overnight.config.folders import SHIPPED
from overnight.records.record import Record, find_runs, read_record
from overnight.study.design import REPLICATES
from overnight.training.fit import train

SWEPT = ["experiment", "hparams_search"]
NOT_TRAINED = {*SWEPT, "hydra", "tta", "data"}  # SHORT is of one data set; the others are tested at home
TRAINED = sorted(
    {path.name for folder in (CONF, SHIPPED) for path in folder.iterdir() if path.is_dir()} - NOT_TRAINED
)
SEARCHES = ["hparams_search=random", "hparams_search=tpe"]
CONFIRM = "experiment=confirm"  # see test_confirm.py
NEEDS = {  # tested where they are at home
    "trainer=gpu": "a GPU",
    "metrics=regression": "numbers as targets",
}
SHORTEST = [*SHORT, "data.train_size=120", "data.test_size=40", "data.val_size=40", "data.batch_size=32"]
STEP = ["+trainer.limit_train_batches=1", "trainer.max_epochs=1"]
BARE = ["logger=none", "callbacks=none"]


def options(groups: list[str]) -> list[str]:
    return sorted(
        f"{group}={path.stem}"
        for folder in (CONF, SHIPPED)
        for group in groups
        for path in (folder / group).glob("*.yaml")
    )


def swept(option: str) -> dict[str, list[str]]:
    """Return the values of each setting that a study sweeps."""
    params = OmegaConf.load(CONF / f"{option.replace('=', '/')}.yaml").hydra.sweeper.params
    parsed = OverridesParser.create().parse_overrides([f"{key}={value}" for key, value in params.items()])
    return {override.key_or_group: list(override.sweep_string_iterator()) for override in parsed}


def only_record(directory: Path) -> Record:
    (found,) = find_runs(directory)
    record = read_record(found)
    assert record
    return record


def trained(compose: Compose, directory: Path, *overrides: str) -> dict[str, Any]:
    """Compose, check and train what is typed; return what a record says of the fit."""
    config = compose(*SHORTEST, *overrides, directory=directory)
    schema.check(config)
    return train(config, directory, {}, [], None)


@pytest.mark.parametrize("option", every(4, (o for o in options(TRAINED) if o not in NEEDS)))
def test_an_option_trains(option: str, compose: Compose, tmp_path: Path) -> None:
    group = option.partition("=")[0]
    bare = [off for off in BARE if off.partition("=")[0] not in {group, "callbacks"}]
    step = STEP if group != "debug" else []
    assert trained(compose, tmp_path, *bare, option, *step)["status"] == "completed"


@pytest.mark.parametrize(
    "options",
    [
        "regularization=[dropout,batch_norm]",
        "regularization=[dropout,layer_norm,weight_decay,l1,label_smoothing,early_stopping]",
        "regularization=[] dropout=[0.1,0.5]",
        "model=wide init=xavier_normal activation=tanh lr=1e-3",
        "optimizer=momentum optimizer.momentum=0.95 scheduler=one_cycle",
        "data.folds=5 data.fold=4",
        "tags=[one,two] task_name=mine seed=7",
        "logger=none callbacks=none",
        "trainer=bf16 regularization=batch_norm",
        "init=normal init.std=0.01 loss=mse",
        "track_test=false",
    ],
)
def test_options_combine(options: str, compose: Compose, tmp_path: Path) -> None:
    assert trained(compose, tmp_path, *options.split(), *STEP)["status"] == "completed"


def test_what_was_chosen_is_recorded(command: Command, tmp_path: Path) -> None:
    chosen = ["optimizer=sgd", "trainer=bf16", "regularization=[dropout,l1]", "augmentation=[flip,mixup]"]
    command("train.py", *SHORTEST, *BARE, *chosen, *STEP)
    recorded = {
        "optimizer": "sgd",
        "trainer": "bf16",
        "model": "fcn",
        "regularization": "dropout+l1",
        "augmentation": "flip+mixup",
    }
    assert only_record(tmp_path)["choices"].items() >= recorded.items()


@pytest.mark.parametrize("option", every(3, (o for o in options(SWEPT) if o not in {CONFIRM, *SEARCHES})))
def test_a_study_sweeps_by_itself(option: str, command: Command, tmp_path: Path) -> None:
    """One value of each swept setting: the longest path through the study's file that is still short."""
    last_values = [f"{key}={values[-1]}" for key, values in swept(option).items()]
    assert command("train.py", *SHORTEST, *BARE, option, *last_values, *STEP).status == 0
    record = only_record(tmp_path)
    assert record["status"] == "completed"
    assert set(last_values) <= {*record["overrides"]}


RUNS = {
    "optimizers": 60,
    "momentum": 60,
    "dropout": 36,
    "batch_norm": 30,
    "init": 63,
    "architecture": 45,
    "activation": 63,
    "grid": 324,
    "cross_validation": 60,
    "strongest": 5,
    "table1": 180,
}
"""What the comment in each study's file says."""


def test_the_size_of_every_study_is_known() -> None:
    assert {f"experiment={study}" for study in RUNS} == {*options(["experiment"])} - {CONFIRM}


@pytest.mark.parametrize(("study", "runs"), RUNS.items(), ids=RUNS.keys())
def test_a_study_is_as_large_as_it_says(study: str, runs: int) -> None:
    assert math.prod(len(values) for values in swept(f"experiment={study}").values()) == runs
    assert f"= {runs} runs" in (CONF / "experiment" / f"{study}.yaml").read_text().replace("\n# ", " ")


@pytest.mark.parametrize("study", RUNS)
def test_a_study_sweeps_what_it_declares_and_replicates(study: str, compose: Compose) -> None:
    declared = compose(f"experiment={study}")["study"]
    assert declared["question"].endswith("?")
    assert declared["scientific"] or study == "strongest"  # which compares nothing
    replicates = {*swept(f"experiment={study}")} - {*declared["scientific"], *declared["nuisance"]}
    assert replicates <= {*REPLICATES}
    assert {*declared["scientific"], *declared["nuisance"]} <= {*swept(f"experiment={study}")}


@pytest.mark.parametrize("study", every(6, RUNS))
def test_every_value_of_a_study_is_valid(study: str, compose: Compose) -> None:
    columns = [[f"{key}={value}" for value in values] for key, values in swept(f"experiment={study}").items()]
    first = [column[0] for column in columns]
    for row in zip_longest(*columns):
        values = [value or default for value, default in zip(row, first, strict=True)]
        schema.check(compose(f"experiment={study}", *values))


@pytest.mark.parametrize("option", every(4, SEARCHES))
def test_a_search_runs_by_itself(option: str, command: Command, tmp_path: Path) -> None:
    assert command("train.py", *SHORTEST, *BARE, option, "hydra.sweeper.n_trials=1", *STEP).status == 0
    assert only_record(tmp_path)["status"] == "completed"


def test_a_confirmation_composes_before_there_is_anything_to_confirm(command: Command) -> None:
    assert command("train.py", CONFIRM, "--cfg=job").status == 0


@pytest.mark.parametrize("order", [["lr=0.5", "optimizer=sgd"], ["optimizer=sgd", "lr=0.5"]])
def test_the_learning_rate_on_the_command_line_wins_in_any_order(order: list[str], compose: Compose) -> None:
    assert compose(*order)["optimizer"]["lr"] == 0.5


def test_a_new_option_is_one_file(command: Command, tmp_path: Path) -> None:
    """What the README promises: an optimizer, an activation, an initialization in a YAML file each."""
    mine = tmp_path / "mine"
    files = {
        "optimizer/adamax.yaml": """
            # @package _global_
            lr: 0.002
            optimizer:
              _target_: torch.optim.Adamax
              _partial_: true
              lr: ${lr}
              weight_decay: ${weight_decay}""",
        "activation/softplus.yaml": """
            module:
              _target_: torch.nn.Softplus
              _partial_: true
            nonlinearity: relu""",
        "init/uniform.yaml": """
            weight:
              _target_: torch.nn.init.uniform_
              _partial_: true
              a: -0.05
              b: 0.05
            bias:
              _target_: torch.nn.Identity""",
    }
    for name, text in files.items():
        (mine / name).parent.mkdir(parents=True)
        (mine / name).write_text(dedent(text).lstrip())
    new = ["optimizer=adamax", "activation=softplus", "init=uniform"]
    assert command("train.py", *SHORTEST, f"--config-dir={mine}", *new, *STEP).status == 0
    assert only_record(tmp_path)["config"]["lr"] == 0.002


@pytest.mark.parametrize(
    ("typed", "chooses"),
    [
        ("metrics=accuracy", ("max", True)),
        ("metrics=f1", ("max", False)),
        ("metrics=loss", ("min", False)),
        ("metric=val/loss mode=min", ("min", False)),
    ],
)
def test_what_a_metrics_option_says_of_its_metric_is_not_said_of_another(
    typed: str, chooses: tuple[str, bool], compose: Compose
) -> None:
    config = compose(*typed.split())
    assert (config["mode"], config["metric_share"]) == chooses


def interpolated(node: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield what each value that repeats another key repeats, and where it stands."""
    for key, value in node.items() if isinstance(node, dict) else ():
        yield from interpolated(value, f"{path}.{key}".lstrip("."))
    if isinstance(node, str) and (found := re.fullmatch(r"\$\{([\w.]+)\}", node)):
        yield found[1], path


def test_two_names_of_one_value_are_known_to_be_that() -> None:
    found = set()
    for file in CONF.rglob("*.yaml"):
        group = ".".join(file.relative_to(CONF).parent.parts)
        placed = "" if "@package _global_" in file.read_text() else group
        node: Any = OmegaConf.to_container(OmegaConf.load(file), resolve=False)
        if group not in {*SWEPT, "debug"} and file.name != "eval.yaml":
            found |= {(known, name) for known, name in interpolated(node, placed) if name}
    others = {
        "model.out_features",
        "activation.nonlinearity",
    }  # the data may tell it; lecun_normal has another
    assert {pair for pair in found if pair[0] not in others} == {*Keys.SAME}
