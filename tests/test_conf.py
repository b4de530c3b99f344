"""Every option of every group is composed, built and trained for a step."""

from pathlib import Path
from textwrap import dedent

import pytest
from omegaconf import OmegaConf

from commands import SHORT, Command
from fcnlab import ledger
from fcnlab.cli import CONF

NOT_TRAINED = {"experiment", "hparams_search", "hydra"}
TRAINED = sorted(
    folder.name for folder in CONF.iterdir() if folder.is_dir() and folder.name not in NOT_TRAINED
)
SWEPT = ["experiment", "hparams_search"]
SEARCHES = ["hparams_search=random", "hparams_search=tpe"]
NEEDS = {"trainer=gpu": "a GPU", "data=fashion_mnist": "the real data"}  # tested where they are at home
STEP = ["+trainer.limit_train_batches=1", "trainer.max_epochs=1"]


def options(groups: list[str]) -> list[str]:
    return [f"{group}={path.stem}" for group in groups for path in sorted((CONF / group).glob("*.yaml"))]


def only_record(directory: Path) -> ledger.Record:
    (found,) = ledger.find(directory)
    record = ledger.read(found)
    assert record
    return record


@pytest.mark.parametrize("option", [o for o in options(TRAINED) if o not in NEEDS])
def test_an_option_trains(option: str, command: Command, tmp_path: Path) -> None:
    result = command("train.py", *SHORT, option, *STEP if not option.startswith("debug") else [])
    assert result.status == 0, result.stderr
    record = only_record(tmp_path)
    assert record["status"] == "completed"
    assert record["choices"][option.partition("=")[0]] == option.partition("=")[2]


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
def test_options_combine(options: str, command: Command, tmp_path: Path) -> None:
    assert command("train.py", *SHORT, *options.split(), *STEP).status == 0
    assert only_record(tmp_path)["status"] == "completed"


@pytest.mark.parametrize("option", [o for o in options(SWEPT) if o not in SEARCHES])
def test_a_study_sweeps_by_itself(option: str, command: Command, tmp_path: Path) -> None:
    """One value of each swept setting: the longest path through the study's file that is still short."""
    params = OmegaConf.load(CONF / f"{option.replace('=', '/')}.yaml").hydra.sweeper.params
    last_values = [f"{key}={str(values).split(',')[-1]}" for key, values in params.items()]
    assert command("train.py", *SHORT, option, *last_values, *STEP).status == 0
    record = only_record(tmp_path)
    assert record["status"] == "completed"
    assert set(last_values) <= {o.replace("'", "") for o in record["overrides"]}


@pytest.mark.parametrize("option", SEARCHES)
def test_a_search_runs_by_itself(option: str, command: Command, tmp_path: Path) -> None:
    assert command("train.py", *SHORT, option, "hydra.sweeper.n_trials=1", *STEP).status == 0
    assert only_record(tmp_path)["status"] == "completed"


@pytest.mark.parametrize("option", options(SWEPT))
def test_every_value_of_a_study_is_one_that_exists(option: str, command: Command) -> None:
    assert command("train.py", *SHORT, option, "--cfg=job").status == 0


def test_the_learning_rate_on_the_command_line_wins_in_any_order(command: Command, tmp_path: Path) -> None:
    for name, order in (("a", ["lr=0.5", "optimizer=sgd"]), ("b", ["optimizer=sgd", "lr=0.5"])):
        command("train.py", *SHORT, *order, *STEP, f"task_name={name}")
    assert [r["config"]["optimizer"]["lr"] for r in map(ledger.read, ledger.find(tmp_path)) if r] == [
        0.5,
        0.5,
    ]


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
    assert command("train.py", *SHORT, f"--config-dir={mine}", *new, *STEP).status == 0
    assert only_record(tmp_path)["config"]["lr"] == 0.002
