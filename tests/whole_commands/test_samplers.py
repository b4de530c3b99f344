"""The samplers of a search: each has an option, and one that cannot be used begins no study."""

import re
import sys
from pathlib import Path
from typing import Any

import pytest
from omegaconf import OmegaConf

from overnight.config.errors import ConfigError
from overnight.config.folders import SHIPPED, options
from overnight.search.search import search
from searches import IGNORED, Parabola, minimum, sampler, settings, trials

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
