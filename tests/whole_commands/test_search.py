"""A search proposes, survives what interrupts it, and does not mix with another."""

import re
from pathlib import Path
from typing import Any

import pytest
from hydra.core.utils import JobReturn
from omegaconf import OmegaConf
from optuna.trial import FrozenTrial, TrialState

from commands import every
from overnight.config.errors import ConfigError
from overnight.config.resolvers import at_a_time, cores
from overnight.search.search import RESULTS, search
from searches import IGNORED, Interrupt, Parabola, minimum, settings, trials


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


def test_joblib_counts_its_jobs_from_the_end(tmp_path: Path) -> None:
    assert at_a_time(settings(tmp_path, n_jobs=-1).n_jobs) == at_a_time(None) == cores()


def test_without_a_storage_the_same_trials_are_proposed(
    uninterrupted: list[FrozenTrial], tmp_path: Path
) -> None:
    ran = Parabola()
    search(settings(tmp_path, storage=None), ["a=1", "x=interval(0,1)"], tmp_path, *IGNORED, ran)
    assert ran.launched == [["a=1", f"x={trial.params['x']!r}"] for trial in uninterrupted]
    found: Any = OmegaConf.load(tmp_path / RESULTS)
    assert found.states == {"COMPLETE": 20}
