"""The prepared studies and searches: each sweeps what it says."""

import math
from itertools import zip_longest
from pathlib import Path

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import OmegaConf

from commands import CONF, Command, every
from experiments import Compose
from options import BARE, SHORTEST, STEP, SWEPT, only_record, options
from overnight.config import schema
from overnight.study.design import REPLICATES

SEARCHES = ["hparams_search=random", "hparams_search=tpe"]
CONFIRM = "experiment=confirm"  # see test_confirm.py


def swept(option: str) -> dict[str, list[str]]:
    """Return the values of each setting that a study sweeps."""
    params = OmegaConf.load(CONF / f"{option.replace('=', '/')}.yaml").hydra.sweeper.params
    parsed = OverridesParser.create().parse_overrides([f"{key}={value}" for key, value in params.items()])
    return {override.key_or_group: list(override.sweep_string_iterator()) for override in parsed}


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
