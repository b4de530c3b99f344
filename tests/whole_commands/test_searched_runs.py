"""A search from the command to its records: it trains, stops, goes on, and tells the truth."""

import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from commands import CONF, SHORT, Command, every
from overnight.config.commands import alone
from overnight.records import sweep_state
from overnight.records.record import find_runs, read_record
from overnight.search.search import RESULTS
from searches import LR, TINY, studied

VAL_SIZES = "data.val_size=choice(100,700)"
"""The second one is more than there are samples, which shows when they are made."""


@pytest.mark.parametrize("given", ["null", "two", "0"])
def test_no_number_of_trials_is_refused_before_anything_is_said(given: str, command: Command) -> None:
    result = command("train.py", *TINY, "hparams_search=tpe", f"hydra.sweeper.n_trials={given}")
    assert (result.status, result.stdout) == (1, "")
    assert "hydra.sweeper.n_trials=" in result.stderr
    assert "needed: a whole number, 1 or more" in result.stderr


@pytest.mark.slow
def test_a_search_over_an_experiment_has_one_seed(command: Command, tmp_path: Path) -> None:
    asked = ["hparams_search=tpe", "hydra/sweeper/sampler=random", "hydra.sweeper.n_trials=2"]
    result = command("train.py", *TINY, *asked, "experiment=optimizers", "task_name=a?b")
    assert result.status == 0, result.stderr
    assert "seed=0: a search does not choose among repetitions (seed=0,1,2)" in result.stdout
    directory = tmp_path / "outputs" / "sweeps" / "a?b"
    records = [record for path in find_runs(directory) if (record := read_record(path))]
    assert [record["config"]["seed"] for record in records] == [0, 0]
    assert (directory / "optuna.db").is_file()


NOT_OF_A_GRID = {
    "an interval": "lr=interval(1e-4,1)",
    "a logarithmic one": LR,
    "a tagged choice": "lr=tag(log,choice(0.1,0.2))",
    "whole numbers": "data.batch_size=int(interval(16,64))",
}


@pytest.mark.parametrize("typed", NOT_OF_A_GRID.values(), ids=NOT_OF_A_GRID.keys())
@pytest.mark.parametrize("launcher", every(3, ["basic", "joblib", "stacked"]))
def test_what_only_a_search_can_draw_from_is_refused_by_a_grid(
    launcher: str, typed: str, command: Command
) -> None:
    result = command("train.py", "-m", *TINY, typed, f"hydra/launcher={launcher}")
    assert result.status == 1
    assert result.stderr.startswith(f"Error: {typed}: a grid has no intervals and no tags")
    assert result.stderr.endswith("hparams_search=tpe")


def test_a_prepared_search_trains_and_its_winner_can_be_trained_alone(
    command: Command, tmp_path: Path
) -> None:
    result = command(
        "train.py", *SHORT, "hparams_search=tpe", "hydra.sweeper.n_trials=2", "task_name=s",
        "+trainer.limit_train_batches=0.5", "seed=3",
    )  # fmt: skip
    assert result.status == 0, result.stderr
    assert not result.stderr
    directory = tmp_path / "outputs" / "sweeps" / "s"
    found: Any = OmegaConf.load(directory / RESULTS)
    records = [record for path in find_runs(directory) if (record := read_record(path))]
    assert found.states == {"COMPLETE": 2}
    assert found.best_value == max(record["best"]["val/acc"] for record in records)
    assert all("+trainer.limit_train_batches=0.5" in record["overrides"] for record in records)
    assert {record["config"]["seed"] for record in records} == {3}
    assert found.command in result.stdout
    _, _, *arguments = shlex.split(found.command)
    assert command("train.py", *arguments).status == 0
    (winner,) = find_runs(tmp_path / "outputs" / "runs")
    record = read_record(winner)
    assert record
    assert record["best"]["val/acc"] == found.best_value
    best = dict(found.best_params)
    assert (record["config"]["lr"], record["config"]["dropout"]) == (best["lr"], best["dropout"])
    assert record["config"]["model"]["hidden_sizes"] == best["model.hidden_sizes"]


def test_both_prepared_searches_search_the_same() -> None:
    tpe, blind = (OmegaConf.load(CONF / "hparams_search" / f"{name}.yaml") for name in ("tpe", "random"))
    assert tpe.hydra.sweeper.params == blind.hydra.sweeper.params
    assert tpe.hydra.sweeper.n_trials == blind.hydra.sweeper.n_trials


def test_failed_and_diverged_runs_are_told_as_what_they_are(command: Command, tmp_path: Path) -> None:
    search_in = ["hparams_search=random", "hydra.sweeper.n_trials=8", "optimizer=sgd", "lr=0.1,1e10"]
    told = studied(command, tmp_path, *search_in, VAL_SIZES, "model.hidden_sizes=[8]")
    expected = {("0.1", "100"): "COMPLETE", ("10000000000.0", "100"): "PRUNED"}
    states = {(t.params["lr"], t.params["data.val_size"]): t.state.name for t in told}
    assert {pair: expected.get(pair, "FAIL") for pair in states} == states
    assert set(states.values()) == {"COMPLETE", "PRUNED", "FAIL"}
    statuses = {"COMPLETE": "completed", "PRUNED": "diverged", "FAIL": "failed"}
    for trial in told:
        record = read_record(Path(trial.user_attrs["directory"]))
        assert record
        assert record["status"] == trial.user_attrs["status"] == statuses[trial.state.name]
        assert trial.value == (record["best"]["val/acc"] if trial.value is not None else None)
    found: Any = OmegaConf.load(tmp_path / "outputs" / "sweeps" / "s" / RESULTS)
    assert found.states == dict(Counter(t.state.name for t in told))


@pytest.mark.slow
def test_a_search_that_is_to_stop_at_a_failure_goes_on_from_there(command: Command, tmp_path: Path) -> None:
    search_in = ["hparams_search=random", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=4"]
    varied = ["optimizer=sgd", LR, VAL_SIZES]
    stopped = studied(command, tmp_path, *search_in, *varied, "on_failure=raise")
    assert Counter(t.state.name for t in stopped)["FAIL"] == 1
    assert Counter(t.state.name for t in stopped)["RUNNING"] > 0
    resumed = studied(command, tmp_path, *search_in, *varied, "on_failure=continue")
    assert [t.params for t in resumed] == [t.params for t in stopped]
    assert {t.state.name for t in resumed} == {"COMPLETE", "FAIL"}


def test_the_command_of_a_winner_does_not_sweep() -> None:
    own = ["seed=1", "model.hidden_sizes=[8]"]
    assert shlex.split(alone(["task_name=s", *own]))[2:] == own
    for prepared in ("experiment=init", "hparams_search=tpe"):
        command = alone([prepared, "task_name=s", *own])
        assert shlex.split(command)[2:] == [prepared, *own, "hydra.mode=RUN", "task_name=winner"]


@pytest.mark.slow
def test_more_trials_begin_where_fewer_ended(command: Command, tmp_path: Path) -> None:
    search_in = ["-m", "hydra/sweeper=optuna", LR]
    few = studied(command, tmp_path, *search_in, "hydra.sweeper.n_trials=2")
    folder = tmp_path / "outputs" / "sweeps" / "s"
    before = {path: path.stat().st_mtime_ns for path in folder.glob("*/run.json")}
    more = studied(command, tmp_path, *search_in, "hydra.sweeper.n_trials=3")
    assert [(t.params, t.value) for t in more[:2]] == [(t.params, t.value) for t in few]
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert Counter(sweep_state.ended(folder).values()) == {"old": 2, "new": 1}


def test_a_misspelt_choice_begins_no_study(command: Command, tmp_path: Path) -> None:
    result = command("train.py", *TINY, "hparams_search=tpe", "optimizer=sgd,adm", "task_name=s")
    assert result.status == 1
    assert "Did you mean adam?" in result.stderr
    assert not (tmp_path / "outputs" / "sweeps" / "s" / "optuna.db").exists()
