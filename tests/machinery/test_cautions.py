"""What speaks against an answer: unequal budgets, edges of a grid; and what more runs would bring."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest

import records
from overnight.study.design import design
from overnight.study.effort import best_of, budgets, expected_best
from overnight.study.score import Score


def test_equal_budgets_are_no_reason_for_caution() -> None:
    runs = records.tuned()
    table = budgets(runs, design(runs))
    assert records.cautioned(runs) == [EDGE]
    used = ["settings", "runs", "epochs_allowed", "epochs", "seconds"]
    assert table[used].to_numpy().tolist() == [[3, 9, 90, 90, 180.0]] * 2


EDGE = (
    "The best lr for optimizer=adam is 0.01, the smallest of those tried (0.01, 0.1, 1); "
    "a better one may lie beyond"
)
UNEQUAL: dict[str, tuple[dict[str, Any], str | None]] = {
    "epochs": ({"trainer.max_epochs": [20] * 9 + [10] * 9}, "epochs allowed 90 (optimizer=adam) to 180"),
    "early stopping": ({"epochs": [5] * 9 + [10] * 9}, None),
    "a larger net": ({"seconds": [5.0] * 9 + [10.0] * 9}, None),
}


@pytest.mark.parametrize(("columns", "part"), UNEQUAL.values(), ids=UNEQUAL.keys())
def test_a_budget_is_what_was_allowed_not_what_was_used(columns: dict[str, Any], part: str | None) -> None:
    runs = records.tuned().assign(**columns)
    told = " ".join(records.cautioned(runs))
    assert "unequal budgets" not in told if part is None else f"unequal budgets, {part}" in told


def test_an_arm_that_was_tried_with_fewer_settings_is_named() -> None:
    runs = records.tuned()
    runs = runs[(runs["optimizer"] != "sgd") | (runs["lr"] != 1.0)]
    told = records.cautioned(runs)
    assert any("unequal budgets, settings 2 (optimizer=sgd) to 3 (optimizer=adam)" in text for text in told)


def test_settings_that_few_samples_cannot_tell_apart_are_counted() -> None:
    runs = records.tuned()
    assert not any("exactly the best" in text for text in records.cautioned(runs))
    same = runs.assign(**{"val/acc": runs["val/acc"].where(runs["lr"] < 1.0, 27 / 28)})
    told = " ".join(records.cautioned(same))
    assert "2 of 6 settings have exactly the best val/acc" in told


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
    assert table["score"].to_numpy() == pytest.approx([1.7 / 3, (0.9 + 0.9 + 0.8) / 3, 0.9])


@pytest.mark.parametrize(
    ("score", "reached", "expected"),
    [
        (records.LOSS, [0.4, 0.2, None], [1.0 / 3, 0.8 / 3, 0.2]),
        (records.R2, [-2.0, 0.5, None], [-3.5 / 3, -1.0 / 3, 0.5]),
    ],
    ids=["lower is better", "may be negative"],
)
def test_without_a_share_a_run_that_diverged_counts_as_the_worst(
    score: Score, reached: list[float | None], expected: list[float]
) -> None:
    runs = records.runs([{"init": "a", "lr": 0.1 * i} for i in range(3)], reached, score)
    assert expected_best(runs, design(runs, ("init",)))["score"].to_numpy() == pytest.approx(expected)


def test_a_result_that_is_not_confirmed_is_named_with_its_run() -> None:
    runs = records.tuned()
    runs["checked"] = [True] * (len(runs) - 1) + ["not measured again: no checkpoint"]
    told = records.cautioned(runs)
    assert (
        f"The best result is not confirmed for {runs['name'].iloc[-1]}: not measured again: no checkpoint"
        in told
    )


def test_runs_that_were_scored_on_different_samples_are_named() -> None:
    runs = records.tuned()
    runs["val samples"] = [6000] * (len(runs) - 1) + [12000]
    told = "These runs have different numbers of val samples (6000, 12000), so they were scored on different"
    assert f"{told} samples" in records.cautioned(runs)


def test_arms_that_are_the_same_configuration_are_named() -> None:
    runs = records.tuned()
    runs["fingerprint"] = runs["name"].str.replace("adam", "sgd")
    told = "These arms are one and the same configuration: optimizer=sgd; optimizer=adam"
    assert told in records.cautioned(runs)


def test_a_setting_that_nothing_depends_on_is_told() -> None:
    tried = records.grid({"init": ["a", "b"], "decay": [0.0, 0.1], "seed": [0, 1]})
    runs = records.runs(tried, [0.8] * 8)
    rows: Any = runs.to_dict("records")
    curves = pd.DataFrame(
        {"name": run["name"], "path": run["path"], "epoch": epoch, "lr": run["decay"], "seconds": number}
        | {"val/acc": epoch / 10 + (run["init"] == "a") / 100 + run["seed"] / 1000}
        for number, run in enumerate(rows)
        for epoch in (0, 1)
    )
    told = [text for text in records.cautioned(runs, "init", curves=curves) if "depends" in text]
    assert told == ["Nothing depends on decay here: runs that differ in it alone have the same curves"]
    curves["val/acc"] += curves.index == 1
    assert "depends" not in " ".join(records.cautioned(runs, "init", curves=curves))


def test_runs_of_other_code_or_of_other_samples_are_told() -> None:
    runs = records.tuned()
    runs.loc[0, "sources"] = "mine.nets=aa mine.task=dd"
    runs.loc[1, "samples"] = "ee"
    runs["data.path"] = "mine.csv"
    told = " ".join(records.cautioned(runs))
    assert "different code (mine.task changed between them)" in told
    assert "These runs have different samples" in told
    runs["data.path"] = [f"{number}.csv" for number in range(len(runs))]
    assert "different samples" not in " ".join(records.cautioned(runs))


# Edges.

EDGES: dict[str, tuple[list[Any], list[float | None], str | None]] = {
    "inside": ([0.1, 0.2, 0.3], [0.8, 0.9, 0.8], None),
    "largest": ([0.1, 0.2, 0.3], [0.7, 0.8, 0.9], "largest"),
    "smallest": ([0.1, 0.2, 0.3], [0.9, 0.8, 0.7], "smallest"),
    "as good inside": ([0.1, 0.2, 0.3], [0.9, 0.9, 0.7], None),
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
    told = [caution for caution in records.cautioned(runs, scientific) if "of those tried" in caution]
    assert [f", the {edge} of those tried" in caution for caution in told] == [True] * bool(edge)


def test_a_failed_run_shows_nothing_of_what_lies_beyond() -> None:
    tried = [{"init": "a", "lr": lr} for lr in (0.1, 0.2, 0.3, 0.4)]
    tried[3]["status"] = "failed"
    runs = records.runs(tried, [0.7, 0.8, 0.9, 0.0])
    told = "The best lr for init=a is 0.3, the largest of those tried (0.1, 0.2, 0.3); a better one may lie"
    assert any(told in caution for caution in records.cautioned(runs, "init"))


def test_each_arm_has_its_own_edges() -> None:
    assert records.cautioned(records.tuned()) == [EDGE]


def test_a_sound_study_gives_no_reason_for_caution() -> None:
    tried = records.grid({"init": ["a", "b"], "lr": [0.1, 0.2, 0.3], "seed": [0, 1, 2]})
    rng = np.random.default_rng(0)
    runs = records.runs(tried, [0.9 - abs(s["lr"] - 0.2) + rng.normal(0, 0.001) for s in tried])
    assert records.cautioned(runs) == []
