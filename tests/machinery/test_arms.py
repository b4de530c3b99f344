"""From runs to arms: the setting chosen for each, its score, and how sure that is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

import records
from overnight import study
from overnight.records.record import STATUSES
from overnight.records.sampling import half_interval, with_error
from overnight.study.arms import arms, settings, winners
from overnight.study.design import design
from overnight.study.differences import differences
from overnight.study.effort import budgets
from overnight.study.score import Score


def test_each_arm_has_the_setting_that_validation_chose() -> None:
    runs = records.tuned()
    table = arms(runs, design(runs))
    assert table[["optimizer", "lr"]].to_numpy().tolist() == [["adam", 0.01], ["sgd", 0.1]]
    assert table["score"].to_numpy() == pytest.approx([0.90, 0.88])
    assert table["score std"].to_numpy() == pytest.approx([0.01, 0.01])
    assert table[["n", "settings", "candidates"]].to_numpy().tolist() == [[3, 3, 3]] * 2


def test_the_interval_is_that_of_scipy() -> None:
    runs = records.tuned()
    best = arms(runs, design(runs)).iloc[0]
    expected = stats.ttest_1samp([0.89, 0.90, 0.91], 0).confidence_interval(0.95)
    assert (best["score low"], best["score high"]) == pytest.approx(tuple(expected))


def test_the_test_result_takes_no_part_in_the_choice_and_has_its_sampling_error() -> None:
    runs = records.tuned()
    runs["test/acc"] = 1 - runs["val/acc"]
    best = arms(runs, design(runs)).iloc[0]
    assert (best["lr"], best["test"]) == pytest.approx((0.01, 0.1))
    assert f"+- {best['test sampling']:.4f} " in with_error(0.1, 10000)


@pytest.mark.parametrize(("right", "samples"), [(10_000, 10_000), (8_871, 10_000), (0, 6_000), (3, 7)])
def test_the_sampling_error_is_half_of_wilsons_interval(right: int, samples: int) -> None:
    low, high = proportion_confint(right, samples, method="wilson")
    assert half_interval(right / samples, samples) == pytest.approx((high - low) / 2)
    assert "+- 0.0000" not in with_error(right / samples, samples)


def test_folds_have_a_wider_interval_than_seeds_since_they_share_training_samples() -> None:
    results = {"train samples": 48000, "val samples": 12000}
    folds = [{"model": "a", "data.fold": fold, **results} for fold in range(5)]
    values = [0.80, 0.81, 0.82, 0.83, 0.84]
    by_fold, by_seed = (
        arms(runs, design(runs)).iloc[0]
        for runs in (
            records.runs(folds, values),
            records.runs([{"model": "a", "seed": fold["data.fold"], **results} for fold in folds], values),
        )
    )
    half = [row["score high"] - row["score"] for row in (by_fold, by_seed)]
    assert half[0] / half[1] == pytest.approx(1.5)  # sqrt((1/5 + 1/4) / (1/5))


def test_a_setting_that_diverged_for_a_seed_is_not_chosen() -> None:
    runs = records.replaced(records.tuned(), "diverged", optimizer="adam", lr=0.01, seed=2)
    best = arms(runs, design(runs)).set_index("optimizer").loc["adam"]
    assert (best["lr"], best["n"], best["candidates"]) == (0.1, 3, 2)
    assert any(
        "Better than the chosen setting" in caution and "lr=0.01" in caution
        for caution in records.cautioned(runs)
    )


def test_a_seed_that_was_added_for_a_poor_setting_makes_the_others_no_less_whole() -> None:
    added = records.grid({"optimizer": ["sgd"], "lr": [0.003], "seed": range(4)})
    runs = pd.concat([records.tuned(), records.runs(added, [0.1] * 4)], ignore_index=True)
    best = arms(runs, design(runs)).set_index("optimizer").loc["sgd"]
    assert (best["lr"], best["n"]) == (0.1, 3)


@pytest.mark.parametrize("score", [records.F1, records.LOSS, records.R2], ids=lambda score: score.metric)
def test_the_best_setting_is_that_of_the_metric_and_its_mode(score: Score) -> None:
    runs = records.tuned(score)
    plan = design(runs)
    table = arms(runs, plan)
    assert (plan.score.metric, plan.score.mode) == (score.metric, score.mode)
    assert table[["optimizer", "lr"]].to_numpy().tolist() == [["adam", 0.01], ["sgd", 0.1]]
    assert table["score"].to_numpy() == pytest.approx([score.sign * 0.90, score.sign * 0.88])
    assert winners(runs, plan)[score.metric].iloc[0] == pytest.approx(score.sign * 0.91)
    assert differences(runs, plan)[["a", "b"]].to_numpy().tolist() == [["optimizer=adam", "optimizer=sgd"]]


def test_only_a_share_has_a_sampling_error_and_an_interval_that_ends_at_0_and_1() -> None:
    tried = records.grid({"init": ["a"], "seed": [0, 1]})
    share, other = (
        arms(runs, design(runs)).iloc[0]
        for runs in (records.runs(tried, [0.9, 0.98], score) for score in (records.ACCURACY, records.R2))
    )
    assert (share["score high"], np.isnan(share["test sampling"])) == (1, False)
    assert other["score high"] > 1
    assert np.isnan(other["test sampling"])


def test_runs_without_a_test_set_or_known_sizes_are_arms_like_others() -> None:
    runs = records.tuned().drop(columns=["test/acc", "train/acc"])
    runs[["train samples", "val samples", "test samples"]] = np.nan
    table = arms(runs, design(runs))
    assert table["score"].to_numpy() == pytest.approx([0.90, 0.88])
    assert table[["test", "train", "test sampling"]].isna().all(axis=None)


def test_folds_of_unknown_sizes_have_no_interval_and_are_not_tested() -> None:
    tried = records.grid({"init": ["a", "b"], "data.fold": [0, 1, 2]})
    runs = records.runs(tried, [0.8, 0.81, 0.82, 0.7, 0.72, 0.74]).assign(**{"val samples": np.nan})
    plan = design(runs)
    assert arms(runs, plan)["score low"].isna().all()
    assert differences(runs, plan)["method"].tolist() == ["none: unknown sizes"]


def test_runs_that_were_chosen_by_different_metrics_are_refused() -> None:
    runs = pd.concat([records.tuned(), records.tuned(records.LOSS)], ignore_index=True)
    with pytest.raises(ValueError, match=r"val/acc \(max\), val/loss \(min\). Needed: .*separately"):
        design(runs)


def test_an_arm_without_a_result_stands_at_the_end() -> None:
    runs = records.replaced(records.tuned(), "diverged", optimizer="adam")
    plan = design(runs)
    last = arms(runs, plan).iloc[-1]
    assert (last["optimizer"], last["n"]) == ("adam", 0)
    assert last[["lr", "setting", "score"]].isna().all()
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
    runs = records.tuned()
    twice = pd.concat([runs, runs], ignore_index=True)
    assert arms(twice, design(twice)).equals(arms(runs, design(runs)))


def test_winners_are_the_runs_behind_the_arms() -> None:
    runs = records.tuned()
    best = winners(runs, design(runs))
    assert best[["optimizer", "lr", "seed"]].to_numpy().tolist() == [
        *([["adam", 0.01, seed] for seed in (2, 1, 0)]),
        *([["sgd", 0.1, seed] for seed in (2, 1, 0)]),
    ]


def test_what_diverged_or_failed_is_counted_in_its_arm() -> None:
    runs = records.replaced(records.tuned(), "diverged", lr=1.0)
    runs = records.replaced(runs, "failed", optimizer="sgd", lr=0.01, seed=0)
    (row,) = budgets(runs, design(runs)).query("arm == 'optimizer=sgd'").to_dict("records")
    assert [row[key] for key in ("runs", *STATUSES)] == [9, 5, 3, 0, 1]


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_study_without_any_result_has_its_tables_all_the_same(status: str, tmp_path: Path) -> None:
    for setting in records.grid(records.OPTIMIZERS):
        records.write(tmp_path, records.record(setting, None, status))
    runs = study.load(tmp_path)
    plan = design(runs)
    assert budgets(runs, plan)[status].tolist() == [9, 9]
    assert len(settings(runs, plan)) == 6
    assert len(arms(runs, plan)) == len(budgets(runs, plan)) == 2
    assert [f(runs, plan).empty for f in (differences, winners)] == [True] * 2
    assert records.cautioned(runs) == []


def test_hostile_values_are_arms_like_others(tmp_path: Path) -> None:
    for setting in records.grid({"optimizer": [records.HOSTILE, "sgd"], "seed": [0, 1]}):
        records.write(tmp_path, records.record(setting, 0.8 + 0.01 * (setting["optimizer"] == "sgd")))
    runs = study.load(tmp_path)
    runs["overrides"] = [["optimizer=x", "seed=0"]] * 4
    assert arms(runs, design(runs))["arm"].tolist() == ["optimizer=sgd", f"optimizer={records.HOSTILE}"]
