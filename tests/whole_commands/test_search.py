"""A search proposes, runs, survives what interrupts it, and tells the truth."""

import os
import re
import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf
from optuna.trial import FrozenTrial, TrialState

from commands import CONF, ROOT, SHORT, Command, every
from overnight.config.commands import alone
from overnight.config.errors import ConfigError
from overnight.config.folders import SHIPPED, options
from overnight.config.resolvers import cores, sqlite
from overnight.records import sweep_state
from overnight.records.folder import find_runs
from overnight.records.record import read_record
from overnight.search.search import RESULTS, search
from overnight.search.storage import find_database, open_storage
from overnight.search.trials import Settings
from searches import LR, TINY, studied, trials


def settings(directory: Path, **changed: Any) -> Settings:
    """Return settings of a study of 20 trials, in which three run side by side."""
    defaults: dict[str, Any] = {
        "sampler": OmegaConf.create(
            {"_target_": "optuna.samplers.TPESampler", "seed": 0, "n_startup_trials": 5}
        ),
        "direction": None,
        "storage": f"sqlite:///{directory}/optuna.db",
        "study_name": None,
        "n_trials": 20,
        "n_jobs": 3,
        "metric": "val/acc",
        "mode": "max",
    }
    return Settings(**defaults | changed)


class Interrupt(BaseException):
    """Something that ends the process."""


class Parabola:
    """A launcher whose runs return numbers and leave no record; it can be interrupted after some runs."""

    def __init__(self, runs: int = 1000) -> None:
        self.left = runs
        self.launched: list[list[str]] = []

    def __call__(self, batch: Any, first: int) -> list[JobReturn]:
        return [self.run(typed) for typed in batch]

    def run(self, typed: list[str]) -> JobReturn:
        if not self.left:
            raise Interrupt
        self.left -= 1
        self.launched.append(typed)
        x = float(typed[-1].partition("=")[2])
        return JobReturn(overrides=typed, status=JobStatus.COMPLETED, _return_value=-((x - 0.3) ** 2))


VAL_SIZES = "data.val_size=choice(100,700)"
"""The second one is more than there are samples, which shows when they are made."""
IGNORED = (lambda jobs: None, lambda total: None)
"""A parabola takes every trial, and nobody counts them."""


def minimum(directory: Path, launch: Parabola, **changed: Any) -> list[FrozenTrial]:
    """Search for the minimum of the parabola."""
    search(settings(directory, **changed), ["a=1", "x=interval(0,1)"], directory, *IGNORED, launch)
    return trials(directory)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[FrozenTrial]:
    return minimum(tmp_path_factory.mktemp("whole"), Parabola())


def test_tpe_looks_where_the_good_ones_were(uninterrupted: list[FrozenTrial]) -> None:
    distances = [abs(trial.params["x"] - 0.3) for trial in uninterrupted]
    assert sum(distances[-10:]) < sum(distances[:10]) / 2


@pytest.mark.parametrize("runs", every(5, [3, 0, 1, 4, 11]))
def test_an_interrupted_search_proposes_what_an_uninterrupted_one_does(
    runs: int, uninterrupted: list[FrozenTrial], tmp_path: Path
) -> None:
    with pytest.raises(Interrupt):
        minimum(tmp_path, Parabola(runs))
    assert {t.state for t in trials(tmp_path)} <= {TrialState.COMPLETE, TrialState.RUNNING}
    resumed = minimum(tmp_path, Parabola())
    assert [(t.number, t.params, t.value, t.state) for t in resumed] == [
        (t.number, t.params, t.value, t.state) for t in uninterrupted
    ]


def test_batches_are_as_large_as_the_launcher_is_wide(tmp_path: Path) -> None:
    sizes = []

    class Counting(Parabola):
        def __call__(self, batch: Any, first: int) -> list[JobReturn]:
            sizes.append((first, len(batch)))
            return super().__call__(batch, first)

    minimum(tmp_path, Counting(), n_trials=10, n_jobs=4)
    minimum(tmp_path, Counting(), n_trials=14, n_jobs=4)
    assert sizes == [(0, 4), (4, 4), (8, 2), (10, 2), (12, 2)]


def test_a_finished_search_runs_nothing_again(tmp_path: Path) -> None:
    minimum(tmp_path, Parabola(), n_trials=4)
    again = Parabola()
    assert len(minimum(tmp_path, again, n_trials=4)) == 4
    assert not again.launched


OTHERS = {
    "another range": (["a=1", "x=interval(0.1,0.2)"], "x: given 0.1 to 0.2, stored 0.0 to 1.0"),
    "another scale": (["a=1", "x=tag(log,interval(1e-4,1))"], "given 0.0001 to 1.0 (log), stored 0.0 to 1.0"),
    "one more": (["a=1", "x=interval(0,1)", "y=range(3)"], "y: given 0 to 2 in steps of 1, stored nothing"),
    "one less": (["x=interval(0,1)"], "a: given nothing, stored 1"),
    "another fixed value": (["a=2", "x=interval(0,1)"], "a: given 2, stored 1"),
}


@pytest.mark.parametrize(("typed", "difference"), OTHERS.values(), ids=OTHERS.keys())
def test_a_study_does_not_mix_searches(typed: list[str], difference: str, tmp_path: Path) -> None:
    minimum(tmp_path, Parabola(), n_trials=1)
    with pytest.raises(ConfigError, match=re.escape(difference)) as caught:
        search(settings(tmp_path), typed, tmp_path, *IGNORED, Parabola())
    assert "Type what is stored, or another task_name" in str(caught.value)
    assert len(trials(tmp_path)) == 1


def test_looks_and_spelling_may_differ_when_a_search_goes_on(tmp_path: Path) -> None:
    minimum(tmp_path, Parabola(), n_trials=1)
    typed = ["a=1", "tags=[again]", "retries=1", "hparams_search=random", "x=interval(0.0, 1.0)"]
    search(settings(tmp_path, n_trials=2), typed, tmp_path, *IGNORED, Parabola())
    assert [trial.state for trial in trials(tmp_path)] == [TrialState.COMPLETE] * 2


WRONG = {
    "no trials": ({"n_trials": 0}, "hydra.sweeper.n_trials=0: needed: a whole number, 1 or more"),
    "half a trial": ({"n_trials": 0.5}, "hydra.sweeper.n_trials=0.5: needed"),
    "no jobs": ({"n_jobs": 0}, "hydra.sweeper.n_jobs=0: needed"),
    "jobs in words": ({"n_jobs": "two"}, "hydra.sweeper.n_jobs=two: needed"),
    "no sampler": ({"sampler": None}, "hydra.sweeper.sampler=None: Needed: .* hydra/sweeper/sampler=tpe"),
    "no seed": ({"sampler": OmegaConf.create({"seed": None})}, "hydra.sweeper.sampler.seed=None: needed"),
    "another direction": (
        {"direction": "minimize"},
        "hydra.sweeper.direction=minimize with mode=max: needed",
    ),
    "no metric": ({"metric": None}, "metric=null: a search needs one"),
}


@pytest.mark.parametrize(("changed", "message"), WRONG.values(), ids=WRONG.keys())
def test_wrong_settings_are_refused(changed: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=message):
        settings(tmp_path, **changed)


@pytest.mark.parametrize("given", ["null", "two", "0"])
def test_no_number_of_trials_is_refused_before_anything_is_said(given: str, command: Command) -> None:
    result = command("train.py", *TINY, "hparams_search=tpe", f"hydra.sweeper.n_trials={given}")
    assert (result.status, result.stdout) == (1, "")
    assert "hydra.sweeper.n_trials=" in result.stderr
    assert "needed: a whole number, 1 or more" in result.stderr


def test_joblib_counts_its_jobs_from_the_end(tmp_path: Path) -> None:
    assert settings(tmp_path, n_jobs=-1).batch_size == settings(tmp_path, n_jobs=None).batch_size == cores()


def sampler(target: str, **arguments: Any) -> Any:
    """Return a sampler's section."""
    return OmegaConf.create({"_target_": f"optuna.samplers.{target}", "seed": 0} | arguments)


UNUSABLE_SAMPLERS = {
    "misspelt": (sampler("TPESampeler"), "optuna.samplers.TPESampeler"),
    "an argument of another": (sampler("RandomSampler", n_startup_trials=3), "n_startup_trials"),
    "a grid of an interval": (sampler("BruteForceSampler"), "FloatDistribution.step must be given"),
    "what is no sampler": (OmegaConf.create({"_target_": "builtins.dict", "seed": 0}), "builtins.dict"),
}


@pytest.mark.parametrize(("chosen", "words"), UNUSABLE_SAMPLERS.values(), ids=UNUSABLE_SAMPLERS.keys())
def test_a_sampler_that_cannot_be_used_begins_no_study(chosen: Any, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=re.escape(words)) as caught:
        minimum(tmp_path, Parabola(), sampler=chosen)
    assert "Type for example: hydra/sweeper/sampler=tpe" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_sampler_whose_package_is_missing_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cmaes", None)
    with pytest.raises(ConfigError, match=r"cmaes.*Type for example: hydra/sweeper/sampler=tpe"):
        minimum(tmp_path, Parabola(), sampler=sampler("CmaEsSampler"))


def test_a_grid_has_each_combination_once(tmp_path: Path) -> None:
    chosen = settings(tmp_path, sampler=sampler("BruteForceSampler"), n_trials=6, n_jobs=1)
    search(chosen, ["a=x,y", "x=1,2,3"], tmp_path, *IGNORED, Parabola())
    assert len({tuple(trial.params.items()) for trial in trials(tmp_path)}) == 6


def test_the_samplers_have_options(tmp_path: Path) -> None:
    names = options("hydra/sweeper/sampler")
    assert names == ["cmaes", "gp", "grid", "random", "tpe"]
    for name in names:
        chosen: Any = OmegaConf.load(SHIPPED / "hydra" / "sweeper" / "sampler" / f"{name}.yaml")
        assert settings(tmp_path, sampler=chosen).build_sampler(0)


WRONG_STORAGES = {
    "in no folder": "sqlite:////nowhere/x.db",
    "a folder": "sqlite:////etc",
    "no database": f"sqlite:///{__file__}",
    "of an unknown kind": "nosuch://x",
    "no URL": "search.db",
    "empty": "",
    "with a missing driver": "postgresql+nosuch://host/name",
    "with a port in words": "postgresql://host:port/name",
    "with braces": "sqlite:///{x}/optuna.db",
    "a number": 5,
}


@pytest.mark.parametrize("storage", WRONG_STORAGES.values(), ids=WRONG_STORAGES.keys())
def test_a_storage_that_cannot_be_opened_is_refused(storage: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        search(settings(tmp_path, storage=storage), ["x=1,2"], tmp_path, *IGNORED, Parabola())
    said = str(caught.value)
    assert said.startswith(f"hydra.sweeper.storage={storage}: cannot be opened (")
    assert "Type for example: hydra.sweeper.storage=sqlite:///" in said
    assert "sqlalche.me" not in said


def test_without_a_storage_the_same_trials_are_proposed(
    uninterrupted: list[FrozenTrial], tmp_path: Path
) -> None:
    ran = Parabola()
    search(settings(tmp_path, storage=None), ["a=1", "x=interval(0,1)"], tmp_path, *IGNORED, ran)
    assert ran.launched == [["a=1", f"x={trial.params['x']!r}"] for trial in uninterrupted]
    found: Any = OmegaConf.load(tmp_path / RESULTS)
    assert found.states == {"COMPLETE": 20}


def test_the_dashboard_shows_the_newest_search_to_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there is no optuna\.db"):
        find_database("")
    for number, name in enumerate(("b", "c", "a")):
        (database := tmp_path / "outputs" / "sweeps" / name / "optuna.db").parent.mkdir(parents=True)
        database.touch()
        os.utime(database, (number, number))
    (tmp_path / "outputs" / "sweeps" / "grid").mkdir()
    assert find_database("") == "sqlite:///outputs/sweeps/a/optuna.db"
    (line,) = [line for line in (ROOT / "Makefile").read_text().splitlines() if "/optuna-dashboard" in line]
    assert '--host 127.0.0.1 "$$url"' in line


@pytest.mark.parametrize("name", ["why? not", "a#b", "100%", "50%41", "{x}", "a b", "a&b=c"])
def test_the_database_lies_in_the_folder_whatever_its_name(name: str, tmp_path: Path) -> None:
    directory = tmp_path / name
    minimum_of = settings(directory, storage=sqlite(f"{directory}/optuna.db"), n_trials=1)
    search(minimum_of, ["x=1,2"], directory, *IGNORED, Parabola())
    assert {path.name for path in tmp_path.iterdir()} == {name}
    assert (directory / "optuna.db").is_file()
    assert len(open_storage(find_database(str(directory))).get_all_studies()) == 1


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
