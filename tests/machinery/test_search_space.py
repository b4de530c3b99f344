"""What is typed for a search, and what it stands for."""

from typing import Any

import optuna
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from overnight.config.errors import ConfigError
from overnight.search.search_space import overrides, split

LR = "lr=tag(log,interval(1e-4,1))"

SYNTAX = {
    "names": ("optimizer=sgd,adam", CategoricalDistribution(("sgd", "adam"))),
    "one after another": ("optimizer=choice(sgd,adam,sgd)", CategoricalDistribution(("sgd", "adam"))),
    "numbers": ("dropout=0,0.5", CategoricalDistribution(("0", "0.5"))),
    "one, one and true": ("x=choice(1,1.0,true)", CategoricalDistribution(("1", "1.0", "True"))),
    "lists": ("model.hidden_sizes=choice([64],[128,64])", CategoricalDistribution(("[64]", "[128,64]"))),
    "nothing": ("x=null,a", CategoricalDistribution(("null", "a"))),
    "a range": ("trainer.max_epochs=range(5)", IntDistribution(0, 4)),
    "a range with a step": ("data.batch_size=range(32,129,32)", IntDistribution(32, 128, step=32)),
    "a range of fractions": ("dropout=range(0.1,0.45,0.1)", FloatDistribution(0.1, 0.4, step=0.1)),
    "an interval": ("dropout=interval(0,0.5)", FloatDistribution(0, 0.5)),
    "a logarithmic interval": (LR, FloatDistribution(1e-4, 1, log=True)),
    "whole numbers": ("data.batch_size=int(interval(16,64))", IntDistribution(16, 64)),
    "logarithmic ones": ("data.batch_size=tag(log,int(interval(16,64)))", IntDistribution(16, 64, log=True)),
    "a key that is added": ("+x=interval(0,1)", FloatDistribution(0, 1)),
}


@pytest.mark.parametrize(("typed", "expected"), SYNTAX.values(), ids=SYNTAX.keys())
def test_what_is_typed_has_a_distribution(typed: str, expected: Any) -> None:
    assert split([typed]) == ({typed.partition("=")[0]: expected}, {})


@pytest.mark.parametrize(("typed", "expected"), SYNTAX.values(), ids=SYNTAX.keys())
def test_a_drawn_value_is_read_back_as_itself(typed: str, expected: Any) -> None:
    space, _ = split([typed])
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(50):
        params = study.ask(space).params
        (read,) = OverridesParser.create().parse_overrides(overrides(params, space))
        ((key, value),) = params.items()
        assert read.get_key_element() == key
        if isinstance(expected, CategoricalDistribution):
            assert read.get_value_element_as_str() == value
        else:
            assert read.value() == pytest.approx(value, rel=1e-15 if expected.step else 0)


def test_a_range_is_drawn_from_as_a_grid_would_run_it() -> None:
    for typed in ("x=range(0,1,0.1)", "x=range(3,9,2)", "x=range(4)"):
        space, _ = split([typed])
        (override,) = OverridesParser.create().parse_overrides([typed])
        study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
        drawn = {overrides(study.ask(space).params, space)[0] for _ in range(200)}
        grid = [float(value) for value in override.sweep_string_iterator()]
        assert sorted(float(text.partition("=")[2]) for text in drawn) == pytest.approx(grid)


def test_what_is_typed_last_counts_and_what_is_not_searched_stays() -> None:
    space, fixed = split(["lr=0.1,0.2", "l1=0,1", "seed=0,1", "seed=3", "l1=0.1", "+a.b=[1, 2]", "~c", LR])
    assert list(space) == ["lr"]
    assert list(fixed.values()) == ["l1=0.1", "seed=3", "+a.b=[1,2]", "~c"]


REFUSED = {
    "files that match": ("optimizer=glob(*)", "cannot be searched"),
    "a shuffled choice": ("lr=shuffle(1,2)", "choices have no order"),
    "a shuffled range": ("x=shuffle(range(3))", "not shuffled"),
    "an empty range": ("x=range(3,1)", "at least one number"),
    "a tagged choice": ("lr=tag(log,choice(1,2))", "no tags"),
    "an unknown tag": ("lr=tag(ln,interval(1,2))", "unknown tag ln"),
    "a logarithm of nothing": ("lr=tag(log,interval(0,1))", "lr=tag(log,interval(0,1)): "),
    "an interval backwards": ("lr=interval(1,0)", "lr=interval(1,0): "),
    "nothing to search": ("lr=0.1", "nothing is searched"),
}


@pytest.mark.parametrize(("typed", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_searched_is_refused(typed: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        split([typed])
    assert typed in str(caught.value)
    assert message in str(caught.value)
    assert "Needed: " in str(caught.value)
    assert "Type for example: " in str(caught.value)


REPEATED = {
    "seeds": ("seed=2,1", "seed=2"),
    "a range": ("seed=range(3)", "seed=0"),
    "folds": ("data.fold=0,1,2,3,4", "data.fold=0"),
    "splits": ("data.split_seed=choice(7,8)", "data.split_seed=7"),
    "a key that is added": ("+my.data.seed=4,5", "+my.data.seed=4"),
    "an interval": ("seed=int(interval(3,9))", "seed=3"),
}


@pytest.mark.parametrize(("swept", "fixed"), REPEATED.values(), ids=REPEATED.keys())
def test_repetitions_of_an_experiment_are_not_searched(
    swept: str, fixed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    space, others = split([LR], [swept, "optimizer=sgd,adam"])
    assert set(space) == {"lr", "optimizer"}
    assert list(others.values()) == [fixed]
    assert capsys.readouterr().out == f"{fixed}: a search does not choose among repetitions ({swept})\n"


@pytest.mark.parametrize(("swept", "fixed"), REPEATED.values(), ids=REPEATED.keys())
def test_typed_repetitions_are_refused(swept: str, fixed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        split([LR, swept])
    assert str(caught.value).startswith(f"{swept}: a search does not choose among repetitions")
    assert f"Type for example: {fixed}," in str(caught.value)


def test_a_typed_value_wins_over_the_repetitions_of_an_experiment(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert list(split([LR, "seed=7"], ["seed=0,1,2"])[1].values()) == ["seed=7"]
    assert not capsys.readouterr().out


def test_what_only_sounds_like_a_repetition_is_searched() -> None:
    assert set(split(["data.folds=2,5", "optimizer.seeded=true,false"])[0]) == {
        "data.folds",
        "optimizer.seeded",
    }
