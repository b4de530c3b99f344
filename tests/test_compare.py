"""From runs to answers: known answers, properties, and error rates over many simulated studies."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

import records
from fcnlab import study
from fcnlab.sampling import half_interval, with_error
from fcnlab.study.arms import arms, outcomes, settings, winners
from fcnlab.study.cautions import cautions, edges
from fcnlab.study.compare import leaderboard, varying
from fcnlab.study.design import Design, design
from fcnlab.study.differences import decided, differences, paired, unpaired
from fcnlab.study.effort import best_of, budgets, expected_best, unequal

OPTIMIZERS: dict[str, Any] = {"optimizer": ["sgd", "adam"], "lr": [0.01, 0.1, 1.0], "seed": [0, 1, 2]}


def tuned() -> pd.DataFrame:
    """Return a study in which adam at 0.01 reaches 0.90, sgd at 0.1 0.88; seeds add -0.01, 0, 0.01."""
    peaks = {("adam", 0.01): 0.90, ("sgd", 0.1): 0.88}
    tried = records.grid(OPTIMIZERS)
    return records.runs(
        tried, [peaks.get((s["optimizer"], s["lr"]), 0.8) + (s["seed"] - 1) / 100 for s in tried]
    )


def replaced(runs: pd.DataFrame, status: str, **where: Any) -> pd.DataFrame:
    """Return the runs, of which those with these settings have diverged or failed."""
    struck = (runs[list(where)] == pd.Series(where)).all(axis=1)
    changed = runs.assign(status=runs["status"].mask(struck, status))
    return changed.assign(**{key: changed[key].mask(struck) for key in ("val/acc", "train/acc", "test/acc")})


# The design: what is asked, what is tuned, what is repeated.

FOUND: dict[str, tuple[dict[str, Any], Design]] = {
    "a group and numbers": (OPTIMIZERS, Design(("optimizer",), ("lr",), ("seed",))),
    "lr alone": ({"lr": [0.1, 1]}, Design(("lr",), (), ())),
    "a number and lr": ({"dropout": [0.0, 0.5], "lr": [0.1, 1]}, Design(("dropout",), ("lr",), ())),
    "a switch": (
        {"optimizer.nesterov": [True, False], "lr": [1, 2]},
        Design(("optimizer.nesterov",), ("lr",), ()),
    ),
    "folds": ({"model": ["a", "b"], "data.fold": [0, 1]}, Design(("model",), (), ("data.fold",))),
    "repeated folds": ({"data.fold": [0, 1], "seed": [0, 1]}, Design((), (), ("seed", "data.fold"))),
    "cosmetics": (
        {"init": ["a", "b"], "task_name": ["x", "y"], "logger": ["c", "d"]},
        Design(("init",), (), ()),
    ),
    "a prepared study": ({"experiment": ["a", "b"]}, Design(("experiment",), (), ())),
    "two prepared studies": ({"experiment": ["a", "b"], "init": ["c", "d"]}, Design(("init",), (), ())),
}


@pytest.mark.parametrize(("values", "expected"), FOUND.values(), ids=FOUND.keys())
def test_the_design_is_found_where_none_is_declared(values: dict[str, Any], expected: Design) -> None:
    tried = records.grid(values)
    assert design(records.runs(tried, [0.8] * len(tried))) == expected


def test_what_the_study_declares_is_asked_and_all_else_that_varies_is_tuned(tmp_path: Path) -> None:
    declared = {"study.scientific": ["lr"], "study.nuisance": ["momentum"]}
    for setting in records.grid({"optimizer": ["sgd", "adam"], "lr": [0.1, 1.0], "seed": [0, 1]}):
        written = records.record(setting)
        written["config"] |= records.nested(declared)
        records.write(tmp_path, written)
    runs = study.load(tmp_path)
    assert design(runs) == Design(("lr",), ("optimizer",), ("seed",))
    assert design(runs, ("optimizer", "lr")) == Design(("optimizer", "lr"), (), ("seed",))


@pytest.mark.parametrize("empty", ["[]", "[ ]", None, ""])
def test_an_empty_declaration_declares_nothing(empty: str | None) -> None:
    runs = tuned()
    expected = design(runs)
    runs["study.scientific"] = empty
    assert design(runs) == expected


def test_the_declaration_counts_where_only_some_runs_have_one() -> None:
    runs = tuned()
    runs["study.scientific"] = ["[]"] + ["[lr]"] * (len(runs) - 1)
    assert design(runs).scientific == ("lr",)


def test_a_question_about_no_setting_is_refused() -> None:
    with pytest.raises(ValueError, match=r"optimiser is no setting.* Needed: one of.*: lr, optimizer"):
        design(tuned(), ("optimiser",))


def test_runs_of_studies_with_different_questions_are_refused() -> None:
    runs = tuned()
    runs["study.scientific"] = ["[lr]", "[optimizer]"] * (len(runs) // 2)
    with pytest.raises(ValueError, match=r"different questions: \[lr\], \[optimizer\]"):
        design(runs)


def test_a_wrong_value_does_not_make_a_number_a_question() -> None:
    tried = [{"optimizer": o, "lr": lr} for o in ("sgd", "adam") for lr in (0.1, 0.2)]
    tried.append({"optimizer": "sgd", "lr": "abc", "status": "failed"})
    assert design(records.runs(tried, [0.8] * 5)).scientific == ("optimizer",)


# The arms.


def test_each_arm_has_the_setting_that_validation_chose() -> None:
    runs = tuned()
    table = arms(runs, design(runs))
    assert table[["optimizer", "lr"]].to_numpy().tolist() == [["adam", 0.01], ["sgd", 0.1]]
    assert table["val/acc"].to_numpy() == pytest.approx([0.90, 0.88])
    assert table["val/acc std"].to_numpy() == pytest.approx([0.01, 0.01])
    assert table[["n", "settings", "candidates"]].to_numpy().tolist() == [[3, 3, 3]] * 2


def test_the_interval_is_that_of_scipy() -> None:
    runs = tuned()
    best = arms(runs, design(runs)).iloc[0]
    expected = stats.ttest_1samp([0.89, 0.90, 0.91], 0).confidence_interval(0.95)
    assert (best["val/acc low"], best["val/acc high"]) == pytest.approx(tuple(expected))


def test_the_test_accuracy_takes_no_part_in_the_choice_and_has_its_sampling_error() -> None:
    runs = tuned()
    runs["test/acc"] = 1 - runs["val/acc"]
    best = arms(runs, design(runs)).iloc[0]
    assert (best["lr"], best["test/acc"]) == pytest.approx((0.01, 0.1))
    assert f"+- {best['test/acc sampling']:.4f} " in with_error(0.1, 10000)


@pytest.mark.parametrize(("right", "images"), [(10_000, 10_000), (8_871, 10_000), (0, 6_000), (3, 7)])
def test_the_sampling_error_is_half_of_wilsons_interval(right: int, images: int) -> None:
    low, high = proportion_confint(right, images, method="wilson")
    assert half_interval(right / images, images) == pytest.approx((high - low) / 2)
    assert "+- 0.0000" not in with_error(right / images, images)


def test_folds_have_a_wider_interval_than_seeds_since_they_share_training_images() -> None:
    results = {"data.train": 48000, "data.val": 12000}
    folds = [{"model": "a", "data.fold": fold, **results} for fold in range(5)]
    values = [0.80, 0.81, 0.82, 0.83, 0.84]
    by_fold, by_seed = (
        arms(runs, design(runs)).iloc[0]
        for runs in (
            records.runs(folds, values),
            records.runs([{"model": "a", "seed": fold["data.fold"], **results} for fold in folds], values),
        )
    )
    half = [row["val/acc high"] - row["val/acc"] for row in (by_fold, by_seed)]
    assert half[0] / half[1] == pytest.approx(1.5)  # sqrt((1/5 + 1/4) / (1/5))


def test_a_setting_that_diverged_for_a_seed_is_not_chosen() -> None:
    runs = replaced(tuned(), "diverged", optimizer="adam", lr=0.01, seed=2)
    best = arms(runs, design(runs)).set_index("optimizer").loc["adam"]
    assert (best["lr"], best["n"], best["candidates"]) == (0.1, 3, 2)
    assert any("lr=0.01: better than what was chosen" in caution for caution in cautions(runs, design(runs)))


def test_an_arm_without_a_result_stands_at_the_end() -> None:
    runs = replaced(tuned(), "diverged", optimizer="adam")
    plan = design(runs)
    last = arms(runs, plan).iloc[-1]
    assert (last["optimizer"], last["n"]) == ("adam", 0)
    assert last[["lr", "setting", "val/acc"]].isna().all()
    assert differences(runs, plan).empty
    assert set(winners(runs, plan)["optimizer"]) == {"sgd"}


def test_seeds_within_a_fold_are_no_further_replicates() -> None:
    tried = records.grid({"init": ["a", "b"], "data.fold": [0, 1, 2], "seed": [0, 1]})
    runs = records.runs(tried, [0.8 + i / 1000 for i in range(12)])
    plan = design(runs)
    assert plan.replicates == ("seed", "data.fold")
    assert arms(runs, plan)["n"].tolist() == [3, 3]
    assert differences(runs, plan)["n"].tolist() == [3]


def test_runs_of_one_seed_are_averaged_before_they_count() -> None:
    runs = tuned()
    twice = pd.concat([runs, runs], ignore_index=True)
    assert arms(twice, design(twice)).equals(arms(runs, design(runs)))


def test_winners_are_the_runs_behind_the_arms() -> None:
    runs = tuned()
    best = winners(runs, design(runs))
    assert best[["optimizer", "lr", "seed"]].to_numpy().tolist() == [
        *([["adam", 0.01, seed] for seed in (2, 1, 0)]),
        *([["sgd", 0.1, seed] for seed in (2, 1, 0)]),
    ]


def test_what_diverged_or_failed_is_counted_in_its_arm() -> None:
    runs = replaced(replaced(tuned(), "diverged", lr=1.0), "failed", optimizer="sgd", lr=0.01, seed=0)
    table = outcomes(runs, design(runs)).set_index("arm").loc["optimizer=sgd"].to_dict()
    assert table == {"runs": 9, "completed": 5, "diverged": 3, "failed": 1} | {
        "diverged share": 3 / 9,
        "failed share": 1 / 9,
    }


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_study_without_any_result_has_its_tables_all_the_same(status: str, tmp_path: Path) -> None:
    for setting in records.grid(OPTIMIZERS):
        records.write(tmp_path, records.record(setting, None, status))
    runs = study.load(tmp_path)
    plan = design(runs)
    assert outcomes(runs, plan)[status].tolist() == [9, 9]
    assert len(settings(runs, plan)) == 6
    assert len(arms(runs, plan)) == len(budgets(runs, plan)) == 2
    assert [f(runs, plan).empty for f in (differences, edges, winners)] == [True] * 3
    assert cautions(runs, plan) == []


def test_hostile_values_are_arms_like_others(tmp_path: Path) -> None:
    for setting in records.grid({"optimizer": [records.HOSTILE, "sgd"], "seed": [0, 1]}):
        records.write(tmp_path, records.record(setting, 0.8 + 0.01 * (setting["optimizer"] == "sgd")))
    runs = study.load(tmp_path)
    runs["overrides"] = [["optimizer=x", "seed=0"]] * 4
    assert arms(runs, design(runs))["arm"].tolist() == ["optimizer=sgd", f"optimizer={records.HOSTILE}"]


# The differences.


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
    runs = replaced(drawn(np.random.default_rng(0), 1), "failed", init="b", seed=0)
    assert differences(runs, design(runs))[["n", "method"]].to_numpy().tolist() == [[4, "paired t"]]


def test_one_run_each_proves_nothing() -> None:
    runs = records.runs(records.grid({"init": ["a", "b"]}), [0.9, 0.8])
    (row,) = differences(runs, design(runs)).to_dict("records")
    assert row["difference"] == pytest.approx(0.1)
    assert np.isnan([row["low"], row["high"], row["p"], row["p holm"]]).all()
    assert (row["different"], row["method"]) == (False, "none: one replicate")
    assert any("one seed" in caution for caution in cautions(runs, design(runs)))


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
@pytest.mark.parametrize("n", [3, 5, 10])
def test_five_percent_of_the_tests_of_arms_that_are_the_same_are_positive(test: Any, n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = many(rng, n)
    table = decided(test(a, b if test is paired else b.sample(frac=1, random_state=n).reset_index(drop=True)))
    positive = (table["p"] < 0.05).mean()
    assert 0.03 < positive < 0.06  # Welch's is a little below 5 % for small n
    covered = ((table["low"] < 0) & (table["high"] > 0)).mean()
    assert covered == pytest.approx(1 - positive)


def test_folds_that_share_images_are_called_different_too_often_unless_corrected() -> None:
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
    studies = [rng.normal(0.88, 0.003, (3, 5)) for _ in range(400)]
    pairs = [(pd.DataFrame(arms[[0, 0, 1]]), pd.DataFrame(arms[[1, 2, 2]])) for arms in studies]
    wrong = [bool(decided(paired(a, b))["different"].any()) for a, b in pairs]
    assert 0 < sum(wrong) <= stats.binom.ppf(0.999, len(studies), 0.05)


@pytest.mark.usefixtures("_quick_holm")
@pytest.mark.parametrize("rates", [[0.1], [0.1, 0.2, 0.3]], ids=["nothing tuned", "three rates"])
def test_from_runs_to_verdict_arms_that_are_the_same_are_not_called_different(rates: list[float]) -> None:
    rng = np.random.default_rng(0)
    tried = records.grid({"init": ["a", "b", "c"], "lr": rates, "seed": range(5)})
    studies = [records.runs(tried, rng.normal(0.88, 0.003, len(tried)).tolist()) for _ in range(20)]
    wrong = [bool(differences(runs, design(runs))["different"].any()) for runs in studies]
    assert sum(wrong) <= stats.binom.ppf(0.999, len(studies), 0.05)


def test_the_correction_for_several_comparisons_is_that_of_holm() -> None:
    a = pd.DataFrame(np.random.default_rng(0).normal(0.01, 0.01, (3, 5)))
    table = decided(paired(a, a * 0)).sort_values("p")
    expected = (table["p"].to_numpy() * [3, 2, 1]).clip(max=1)
    assert table["p holm"].to_numpy() == pytest.approx(np.maximum.accumulate(expected))


# Budgets, and what more runs would bring.


def test_equal_budgets_are_no_reason_for_caution() -> None:
    runs = tuned()
    table = budgets(runs, design(runs))
    assert table.drop(columns="arm").to_numpy().tolist() == [[3, 9, 90, 90, 180.0]] * 2
    assert unequal(table) == []


UNEQUAL: dict[str, tuple[dict[str, Any], list[str]]] = {
    "epochs": ({"trainer.max_epochs": [20] * 9 + [10] * 9}, ["max_epochs"]),
    "early stopping": ({"epochs": [5] * 9 + [10] * 9}, []),
    "a larger net": ({"seconds": [5.0] * 9 + [10.0] * 9}, []),
}


@pytest.mark.parametrize(("columns", "parts"), UNEQUAL.values(), ids=UNEQUAL.keys())
def test_a_budget_is_what_was_allowed_not_what_was_used(columns: dict[str, Any], parts: list[str]) -> None:
    runs = tuned().assign(**columns)
    assert unequal(budgets(runs, design(runs))) == parts


def test_an_arm_that_was_tried_with_fewer_settings_is_named() -> None:
    runs = tuned()
    runs = runs[(runs["optimizer"] != "sgd") | (runs["lr"] != 1.0)]
    told = cautions(runs, design(runs))
    assert any("unequal budgets, settings 2 (optimizer=sgd) to 3 (optimizer=adam)" in text for text in told)


def test_the_expected_best_of_evenly_spread_values_has_a_closed_form() -> None:
    n = 50
    k = np.arange(1, n + 1)
    shuffled = np.random.default_rng(0).permutation(k)
    assert best_of(shuffled) == pytest.approx(k * (n + 1) / (k + 1))  # of k of the numbers 1 to n


def test_the_expected_best_is_the_mean_over_all_subsets() -> None:
    values = np.array([0.3, 0.9, 0.1, 0.9, 0.5])
    subsets = [np.mean([max(subset) for subset in combinations(values, k)]) for k in range(1, 6)]
    assert best_of(values) == pytest.approx(subsets)


def test_the_expected_best_of_very_many_runs_is_exact() -> None:
    values = np.random.default_rng(0).random(2000)
    expected = best_of(values)
    assert (expected[0], expected[-1]) == pytest.approx((values.mean(), values.max()))
    assert (np.diff(expected) > -1e-9).all()


def test_a_run_that_diverged_counts_as_tried_and_one_that_failed_does_not() -> None:
    tried = [{"init": "a", "lr": 0.1 * i} for i in range(4)]
    tried[3]["status"] = "failed"
    runs = records.runs(tried, [0.8, 0.9, None, 0.7])
    table = expected_best(runs, design(runs, ("init",)))
    assert table["runs"].tolist() == [1, 2, 3]
    assert table["val/acc"].to_numpy() == pytest.approx([1.7 / 3, (0.9 + 0.9 + 0.8) / 3, 0.9])


# Edges.

EDGES: dict[str, tuple[list[Any], list[float | None], str | None]] = {
    "inside": ([0.1, 0.2, 0.3], [0.8, 0.9, 0.8], None),
    "largest": ([0.1, 0.2, 0.3], [0.7, 0.8, 0.9], "largest"),
    "smallest": ([0.1, 0.2, 0.3], [0.9, 0.8, 0.7], "smallest"),
    "unordered": ([0.3, 0.1, 0.2], [0.9, 0.8, 0.7], "largest"),
    "two values": ([0.1, 0.2], [0.8, 0.9], None),
    "nothing lies below 0": ([0.0, 0.2, 0.5], [0.9, 0.8, 0.7], None),
    "no numbers": (["a", "b", "c"], [0.9, 0.8, 0.7], None),
    "beyond it diverges": ([0.1, 0.2, 0.3], [0.7, 0.9, None], None),
    "a search": ([0.01 * i for i in range(1, 21)], [0.5 + 0.01 * i for i in range(20)], None),
    "a number among texts": ([0.1, "[0.1,0.2]", 0.2, 0.3], [0.7, 0.8, 0.8, 0.9], "largest"),
    "a text among numbers": ([0.1, "[0.1,0.2]", 0.2, 0.3], [0.7, 0.9, 0.8, 0.8], None),
}


@pytest.mark.parametrize("scientific", ["tuned", "init"])
@pytest.mark.parametrize(("values", "accuracies", "edge"), EDGES.values(), ids=EDGES.keys())
def test_a_chosen_value_on_the_edge_of_its_grid_is_named_and_no_other(
    values: list[Any], accuracies: list[float | None], edge: str | None, scientific: str
) -> None:
    runs = records.runs([{"tuned": value, "init": "a"} for value in values], accuracies)
    assert edges(runs, design(runs, (scientific,)))["edge"].tolist() == [edge] * bool(edge)


def test_a_failed_run_shows_nothing_of_what_lies_beyond() -> None:
    tried = [{"init": "a", "lr": lr} for lr in (0.1, 0.2, 0.3, 0.4)]
    tried[3]["status"] = "failed"
    runs = records.runs(tried, [0.7, 0.8, 0.9, 0.0])
    plan = design(runs, ("init",))
    assert edges(runs, plan)[["value", "edge", "tried"]].to_numpy().tolist() == [
        [0.3, "largest", "0.1, 0.2, 0.3"]
    ]
    assert any("lr=0.3 is the largest value tried" in caution for caution in cautions(runs, plan))


def test_each_arm_has_its_own_edges() -> None:
    runs = tuned()
    (edge,) = edges(runs, design(runs)).to_dict("records")
    assert (edge["arm"], edge["key"], edge["value"], edge["edge"]) == (
        "optimizer=adam",
        "lr",
        0.01,
        "smallest",
    )


def test_a_sound_study_gives_no_reason_for_caution() -> None:
    tried = records.grid({"init": ["a", "b"], "lr": [0.1, 0.2, 0.3], "seed": [0, 1, 2]})
    rng = np.random.default_rng(0)
    runs = records.runs(tried, [0.9 - abs(s["lr"] - 0.2) + rng.normal(0, 0.001) for s in tried])
    assert cautions(runs, design(runs)) == []


# The leaderboard.


def test_the_leaderboard_ranks_by_validation_and_keeps_what_has_no_result(tmp_path: Path) -> None:
    for setting, accuracy in (({"lr": 0.1, "seed": 0}, 0.8), ({"lr": 0.2, "seed": 0}, 0.9)):
        records.write(tmp_path, records.record(setting, accuracy))
    records.write(tmp_path, records.record({"lr": -1, "seed": 0}, None, "failed"))
    runs = study.load(tmp_path)
    board = leaderboard(runs)
    assert varying(runs) == ["lr"]
    assert board["lr"].tolist() == [0.2, 0.1, -1]
    assert [*board.columns] == ["lr", "val/acc", "train/acc", "epoch", "seconds", "status"]
    assert board["epoch"].dtype == "float64"  # so that the terminal shows nothing where there is none
