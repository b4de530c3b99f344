"""Which arms differ: known answers, and error rates over many simulated studies."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import records
from commands import every
from overnight.study.design import design
from overnight.study.differences import decided, differences, paired, unpaired


def drawn(rng: np.random.Generator, points: float, n: int = 5) -> pd.DataFrame:
    """Return two arms on the same seeds, a given number of points apart; both noises are 0.2 points."""
    common, own = rng.normal(0, 0.002, n), rng.normal(0, 0.002, (2, n))
    values = 0.88 + common + own + np.array([[points / 100], [0]])
    return records.runs(records.grid({"init": ["a", "b"], "seed": range(n)}), values.ravel().tolist())


def test_a_paired_difference_is_that_of_scipy() -> None:
    runs = drawn(np.random.default_rng(0), 1)
    (row,) = differences(runs, design(runs)).to_dict("records")
    a, b = (runs.loc[runs["init"] == arm, "val/acc"] for arm in "ab")
    expected = stats.ttest_rel(a, b)
    assert (row["p"], row["low"], row["high"]) == pytest.approx(
        (expected.pvalue, *expected.confidence_interval(0.95))
    )
    assert (row["n"], row["method"], row["p holm"]) == (5, "paired t", row["p"])


def test_arms_that_share_no_seed_are_compared_by_welch() -> None:
    runs = drawn(np.random.default_rng(0), 1).assign(seed=range(10)).drop(index=9)
    (row,) = differences(runs, design(runs)).to_dict("records")
    a, b = (runs.loc[runs["init"] == arm, "val/acc"] for arm in "ab")
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert (row["p"], row["low"], row["high"]) == pytest.approx(
        (expected.pvalue, *expected.confidence_interval(0.95))
    )
    assert (row["n"], row["method"]) == (4, "Welch t")


def test_only_shared_seeds_are_paired() -> None:
    runs = records.replaced(drawn(np.random.default_rng(0), 1), "failed", init="b", seed=0)
    assert differences(runs, design(runs))[["n", "method"]].to_numpy().tolist() == [[4, "paired t"]]


def test_one_run_each_proves_nothing() -> None:
    runs = records.runs(records.grid({"init": ["a", "b"]}), [0.9, 0.8])
    (row,) = differences(runs, design(runs)).to_dict("records")
    assert row["difference"] == pytest.approx(0.1)
    assert np.isnan([row["low"], row["high"], row["p"], row["p holm"]]).all()
    assert (row["different"], row["method"]) == (False, "none: one replicate")
    assert any("one seed" in caution for caution in records.cautioned(runs))


@pytest.mark.parametrize(("points", "p"), [(0, 1.0), (1, np.nan)], ids=["the same", "always one point"])
def test_without_variance_nothing_is_called_different(points: int, p: float) -> None:
    values = [0.87, 0.88, 0.87 - points / 100, 0.88 - points / 100]
    runs = records.runs(records.grid({"init": ["a", "b"], "seed": [0, 1]}), values)
    (row,) = differences(runs, design(runs)).to_dict("records")
    assert row["p"] == pytest.approx(p, nan_ok=True)
    assert (row["different"], row["method"]) == (False, "none: no variance")


def test_a_real_difference_of_a_point_is_found_with_five_paired_seeds() -> None:
    rng = np.random.default_rng(0)
    studies = [drawn(rng, 1) for _ in range(5)]
    assert all(differences(runs, design(runs))["different"].item() for runs in studies)
    a, b = many(rng, 5)
    assert (decided(paired(a + 0.01, b))["p"] < 0.05).mean() > 0.95


def many(rng: np.random.Generator, n: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the results of 4,000 pairs of arms that are the same; a column for each seed."""
    common = rng.normal(0.88, 0.002, (4000, n))
    a, b = (pd.DataFrame(common + rng.normal(0, 0.002, (4000, n))) for _ in range(2))
    return a, b


@pytest.mark.parametrize("test", [paired, unpaired])
@pytest.mark.parametrize("n", every(3, [3, 5, 10]))
def test_five_percent_of_the_tests_of_arms_that_are_the_same_are_positive(test: Any, n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = many(rng, n)
    table = decided(test(a, b if test is paired else b.sample(frac=1, random_state=n).reset_index(drop=True)))
    positive = (table["p"] < 0.05).mean()
    assert 0.03 < positive < 0.06  # Welch's is a little below 5 % for small n
    covered = ((table["low"] < 0) & (table["high"] > 0)).mean()
    assert covered == pytest.approx(1 - positive)


def test_folds_that_share_samples_are_called_different_too_often_unless_corrected() -> None:
    rng = np.random.default_rng(0)
    k = 5
    shared = rng.normal(
        0, (1 / k) ** 0.5, (4000, 1)
    )  # so that results correlate by 1/k, as the paper supposes
    within = pd.DataFrame(shared + rng.normal(0, (1 - 1 / k) ** 0.5, (4000, k)))
    plain, corrected = (
        (decided(paired(within, within * 0, overlap))["p"] < 0.05).mean() for overlap in (0, 1 / (k - 1))
    )
    assert plain > 0.1
    assert corrected == pytest.approx(0.05, abs=0.01)


@pytest.fixture
def _quick_holm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do without the garbage collection that each call of statsmodels' multipletests begins with (0.2 s)."""
    monkeypatch.setattr("gc.collect", lambda *_: 0)


@pytest.mark.usefixtures("_quick_holm")
def test_at_most_five_percent_of_studies_of_arms_that_are_the_same_find_any_difference() -> None:
    rng = np.random.default_rng(0)
    studies = [rng.normal(0.88, 0.003, (3, 5)) for _ in range(200)]
    pairs = [(pd.DataFrame(arms[[0, 0, 1]]), pd.DataFrame(arms[[1, 2, 2]])) for arms in studies]
    wrong = [bool(decided(paired(a, b))["different"].any()) for a, b in pairs]
    assert 0 < sum(wrong) <= stats.binom.ppf(0.999, len(studies), 0.05)


@pytest.mark.usefixtures("_quick_holm")
@pytest.mark.parametrize("rates", [[0.1], [0.1, 0.2, 0.3]], ids=["nothing tuned", "three rates"])
def test_from_runs_to_verdict_arms_that_are_the_same_are_not_called_different(rates: list[float]) -> None:
    rng = np.random.default_rng(0)
    tried = records.grid({"init": ["a", "b", "c"], "lr": rates, "seed": range(5)})
    studies = [records.runs(tried, rng.normal(0.88, 0.003, len(tried)).tolist()) for _ in range(12)]
    wrong = [bool(differences(runs, design(runs))["different"].any()) for runs in studies]
    assert sum(wrong) <= stats.binom.ppf(0.999, len(studies), 0.05)


def test_the_correction_for_several_comparisons_is_that_of_holm() -> None:
    a = pd.DataFrame(np.random.default_rng(0).normal(0.01, 0.01, (3, 5)))
    table = decided(paired(a, a * 0)).sort_values("p")
    expected = (table["p"].to_numpy() * [3, 2, 1]).clip(max=1)
    assert table["p holm"].to_numpy() == pytest.approx(np.maximum.accumulate(expected))
