"""Every option of every group is composed, built and trained for a step."""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from omegaconf import OmegaConf

from commands import CONF, Command, every
from experiments import Compose
from fcnlab.schema import Keys
from options import BARE, SHORTEST, STEP, SWEPT, only_record, options
from overnight.config import schema
from overnight.config.folders import SHIPPED
from overnight.training.fit import train

NOT_TRAINED = {*SWEPT, "hydra", "tta", "data"}  # SHORT is of one data set; the others are tested at home
TRAINED = sorted(
    {path.name for folder in (CONF, SHIPPED) for path in folder.iterdir() if path.is_dir()} - NOT_TRAINED
)
NEEDS = {  # tested where they are at home
    "trainer=gpu": "a GPU",
    "metrics=regression": "numbers as targets",
}


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
    of_activations = {
        pair for pair in found if pair[0] == "activation.nonlinearity"
    }  # lecun_normal has another
    assert found - of_activations == {*Keys.SAME}
