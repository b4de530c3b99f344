"""Figures say what the tables say: read off the artists, not the pixels."""

from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

import records
from drawings import lay_out, texts
from overnight.study.design import design
from overnight.study.effort import importances
from overnight.study.evidence import Evidence
from overnight.study.figures import answer, cells, curves, overview, response
from overnight.study.figures.style import DISTINCT, OTHERS, STYLE, Picture, brief, colours, in_order, window
from overnight.study.score import Score

STUDY: dict[str, Any] = {"optimizer": ["sgd", "adam"], "lr": [1e-4, 0.001, 0.01, 0.1, 1.0], "seed": [0, 1, 2]}
BEST = {"sgd": 0.1, "adam": 0.01}


def reached(setting: dict[str, Any]) -> float | None:
    """Return 0.9 at the optimizer's best rate and 0.05 less for each step away; sgd diverges at 1."""
    if (setting["optimizer"], setting["lr"]) == ("sgd", 1.0):
        return None
    steps = abs(np.log10(setting["lr"]) - np.log10(BEST[setting["optimizer"]]))
    return float(0.9 - 0.05 * steps + 0.001 * setting["seed"])


def study(score: Score = records.ACCURACY) -> Evidence:
    """Return the runs of a study; where lower is better, all results have the opposite sign."""
    tried = records.grid(STUDY)
    found = [reached(setting) for setting in tried]
    return known(
        records.runs(tried, [None if value is None else score.sign * value for value in found], score)
    )


def known(runs: pd.DataFrame, scientific: tuple[str, ...] = ()) -> Evidence:
    """Return runs as the figures take them, with curves that end at what each run reached."""
    plan = design(runs, scientific)
    histories = pd.DataFrame(
        {
            "path": run["path"],
            "epoch": epoch,
            **{
                plan.score.on(split) or plan.score.metric: run[plan.score.metric] * epoch / 5
                for split in curves.LINES
            },
            **{f"{split}/other": 1.0 for split in curves.LINES},
        }
        for run in runs.dropna(subset=plan.score.metric).to_dict("records")
        for epoch in range(6)
    )
    return Evidence((), runs, runs[:0], histories, pd.DataFrame(), plan, guessed=False)


def drawn(pictures: Iterator[Picture]) -> list[Figure]:
    return [picture.figure for picture in pictures]


def test_an_option_has_one_colour_and_numbers_have_a_scale() -> None:
    assert colours(["sgd", "adam", "sgd"]) == {"adam": DISTINCT[0], "sgd": DISTINCT[1]}
    scale = list(colours([0.5, 0.0, 0.1]).values())
    lightness = [sum(colour[:3]) for colour in scale]
    assert list(colours([0.5, 0.0, 0.1])) == ["0", "0.1", "0.5"]
    assert lightness == sorted(lightness)
    assert len(set(colours([f"option {i}" for i in range(10)]).values())) == 10


def test_values_are_ordered_as_a_person_would() -> None:
    assert in_order(["b", 10, 9.0, "a", 9, None, 0.5]) == [0.5, 9.0, 10, None, "a", "b"]


SHOWN: dict[str, tuple[Score, list[float], float, float]] = {
    "close": (records.ACCURACY, [0.8, 0.9], 0.8, 0.9),
    "far apart": (records.ACCURACY, [0.1, 0.9], 0.75, 0.9),
    "one": (records.ACCURACY, [0.9], 0.9, 0.9),
    "missing": (records.ACCURACY, [0.9, np.nan], 0.9, 0.9),
    "lower is better": (records.LOSS, [0.3, 0.4, 0.5, 2.3], 0.3, 0.6),
    "one is very bad": (records.R2, [-900.0, 0.5, 0.7, 0.8], 0.4, 0.8),
    "negative": (records.R2, [-3.0, -2.0], -3.0, -2.0),
}


@pytest.mark.parametrize(("score", "values", "low", "high"), SHOWN.values(), ids=SHOWN.keys())
def test_an_axis_shows_the_good_results_and_a_little_beyond(
    score: Score, values: list[float], low: float, high: float
) -> None:
    shown = window(pd.Series(values), score)
    margin = 0.06 * (high - low) or 0.02
    assert low - margin < shown.low < low
    assert high < shown.high < high + margin
    assert shown.misses(pd.Series(values)).tolist() == [v < low or v > high for v in values]


def test_the_answer_has_a_line_for_each_arm_with_its_interval() -> None:
    evidence = study()
    best = evidence.arms
    (figure,) = drawn(answer.answer(evidence))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == best["optimizer"].tolist()
    assert {"lr=0.01; n=3", "lr=0.1; n=3"} <= set(texts(figure))
    intervals = [line.get_xdata() for line in axes.lines if line.get_linewidth() == 2]
    assert np.allclose(np.array(intervals), best[["score low", "score high"]])
    lay_out(figure)


def test_an_arm_that_is_far_from_the_best_leaves_the_others_their_room_and_has_its_number() -> None:
    tried = records.grid({"init": ["a", "b", "zeros"], "seed": [0, 1]})
    (figure,) = drawn(answer.answer(known(records.runs(tried, [0.9, 0.901, 0.902, 0.903, 0.1, 0.1]))))
    assert figure.axes[0].get_xlim()[0] > 0.85
    assert "mean 0.100; n=2" in texts(figure)


def test_curves_have_a_panel_for_each_arm_and_a_line_for_each_split() -> None:
    shown = [*curves.learning_curves(study())]
    assert [picture.name for picture in shown] == ["curves_val_acc", "curves_val_other"]
    for _, _, _, figure in shown:
        titles = {"\n".join([arm, f"lr={rate}"]) for arm, rate in BEST.items()}
        assert {panel.get_title(loc="left") or panel.get_title() for panel in figure.axes} == titles
        assert [len(panel.lines) for panel in figure.axes] == [3, 3]
        lay_out(figure)
    ends = [panel.lines[1].get_ydata()[-1] for panel in shown[1].figure.axes]  # type: ignore[index]
    assert ends == [1.0, 1.0]


def test_curves_are_of_the_metric_first_and_a_metric_that_is_not_of_validation_has_its_own() -> None:
    logged = ["val_loss", "train_loss", "lr-SGD", "val_auc", "test_auc"]
    assert curves.measures(logged, "val_auc") == {
        "val_auc": {"val_auc": "-", "test_auc": "--"},
        "val_loss": {"train_loss": ":", "val_loss": "-"},
    }
    assert curves.measures(["train_loss"], None) == {"train_loss": {"train_loss": "-"}}
    assert curves.measures(["valid_loss", "train_loss"], "valid_loss") == {
        "valid_loss": {"train_loss": ":", "valid_loss": "-"}
    }


def test_many_runs_are_drawn_as_quantiles_and_the_best() -> None:
    evidence = study()
    (figure,) = drawn(curves.all_runs(evidence))
    assert [len(panel.lines) for panel in figure.axes] == [2, 2]
    best = np.asarray(figure.axes[0].lines[1].get_ydata())
    runs = evidence.labelled
    assert best[-1] == pytest.approx(runs.loc[runs["optimizer"] == "adam", "score"].max())
    lay_out(figure)


@pytest.mark.parametrize(
    "score", [records.ACCURACY, records.F1, records.LOSS], ids=lambda score: score.metric
)
def test_a_response_marks_the_best_rate_and_what_diverged(score: Score) -> None:
    (figure,) = drawn(response.responses(study(score)))
    (axes,) = figure.axes
    assert (axes.get_xscale(), axes.get_ylabel()) == ("log", score.label)
    rings = [line for line in axes.lines if line.get_markersize() == 10]
    best = [score.sign * value for value in (0.901, 0.901)]
    assert [float(np.ravel(ring.get_ydata())[0]) for ring in rings] == pytest.approx(best)
    crosses = [line for line in axes.lines if line.get_marker() == "x"]
    assert [len(np.ravel(cross.get_xdata())) for cross in crosses] == [0, 3]
    assert "diverged" in texts(figure)
    lay_out(figure)


def test_the_rates_of_a_search_stand_under_the_axis_as_numbers() -> None:
    tried = [{"optimizer": "adam", "lr": float(rate)} for rate in np.geomspace(2e-4, 0.5, 14)]
    (figure,) = drawn(response.responses(known(records.runs(tried, list(np.linspace(0.7, 0.9, 14))))))
    lay_out(figure)
    assert {line.get_linestyle() for line in figure.axes[0].lines} == {"None"}  # it would zigzag
    assert {"0.001", "0.003", "0.01", "0.03", "0.1"} <= {*texts(figure)}
    assert not any("$" in text for text in texts(figure))


def test_only_numbers_with_three_values_have_a_response() -> None:
    table = study().settings.assign(dropout=0.5)
    assert response.responsive(table, ("optimizer", "dropout", "lr")) == ["lr"]


def framed(figure: Figure) -> tuple[float, float]:
    """Return the column and the row of the framed cell."""
    (frame,) = [p for p in figure.axes[0].patches if isinstance(p, Rectangle) and not p.get_fill()]
    return frame.get_x() + 0.5, frame.get_y() + 0.5


@pytest.mark.parametrize("score", [records.ACCURACY, records.LOSS], ids=lambda score: score.metric)
def test_a_heat_map_frames_the_best_cell_and_crosses_out_the_diverged(score: Score) -> None:
    (figure,) = drawn(cells.heat_maps(study(score)))
    assert framed(figure) == (2, 0)  # adam, 0.01
    assert texts(figure).count("x") == 1
    assert {Score("").written(score.sign * value, 1) for value in (0.901, 0.851)} <= set(texts(figure))
    lay_out(figure)


@pytest.mark.parametrize(
    ("values", "places", "warned"),
    [
        ([1, 2, 3], [2], True),
        ([1, 2, 3], [1], False),
        ([1, 2, 3], [0, 1], False),
        ([0, 1, 2], [0], False),
        ([1, 2], [1], False),
        (["a", "b", "c"], [2], False),
    ],
    ids=["largest", "inside", "as good inside", "zero", "two values", "names"],
)
def test_an_edge_of_a_grid_is_named_in_the_heat_map(
    values: list[Any], places: list[int], warned: bool
) -> None:
    assert bool(cells.at_edge(values, places)) is warned


@pytest.mark.parametrize("score", [records.ACCURACY, records.LOSS], ids=lambda score: score.metric)
def test_effects_show_the_best_of_each_value(score: Score) -> None:
    evidence = study(score)
    (figure,) = drawn(response.effects(evidence))
    dots = {
        (panel.get_ylabel(), float(np.ravel(line.get_xdata())[0]))
        for panel in figure.axes
        for line in panel.lines
        if line.get_markersize() == 5
    }
    best = {
        (key, score.best(rows["score"]))
        for key in evidence.varied
        for _, rows in evidence.settings.groupby(key)
    }
    assert dots == best
    assert "3 of 15 runs did not complete" in "".join(texts(figure))
    lay_out(figure)


@pytest.mark.parametrize("score", [records.ACCURACY, records.LOSS], ids=lambda score: score.metric)
def test_importance_is_given_to_what_decides(score: Score) -> None:
    runs = study(score).runs
    idle = pd.concat([runs.assign(noise=noise) for noise in ("a", "b")], ignore_index=True)
    idle["overrides"] += pd.Series([["noise=a"]] * len(idle))
    evidence = known(idle, ("noise",))
    table = importances(evidence.settings, evidence.varied, score)
    assert table["key"].iloc[0] == "lr"
    assert table["importance"].sum() == pytest.approx(1)
    assert table.set_index("key")["importance"]["noise"] == pytest.approx(0, abs=1e-6)
    lay_out(*drawn(overview.importance(evidence)))


@pytest.mark.parametrize("score", [records.ACCURACY, records.LOSS], ids=lambda score: score.metric)
def test_every_run_with_a_result_has_a_line_from_its_settings_to_its_score(score: Score) -> None:
    evidence = study(score)
    (figure,) = drawn(overview.parallel(evidence))
    (axes,) = figure.axes
    lines = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    runs = evidence.labelled
    assert len(lines) == runs["score"].notna().sum() == 27
    ends = [float(np.asarray(line.get_path().vertices)[-1, 1]) for line in lines]
    assert max(ends) == ends[-1] == 1  # the best is drawn last, and ends on top
    assert sum(line.get_linewidth() > 1 for line in lines) == 10
    heights = overview.spread(runs["optimizer"])
    assert (heights[runs["optimizer"] == "sgd"] > heights[runs["optimizer"] == "adam"].max()).all()
    lay_out(figure)


def test_labels_keep_both_ends_of_a_long_name_and_three_digits_of_a_number() -> None:
    assert brief("a" * 30 + "b" * 30, 11) == "aaaaa…bbbbb"
    assert brief(0.110470121637) == "0.11"
    assert brief("short") == "short"


def test_beyond_ten_names_the_others_share_a_grey() -> None:
    looks = list(colours([f"option {i:02}" for i in range(12)]).values())
    assert looks[10:] == [OTHERS] * 2
    assert OTHERS not in looks[:10]


@pytest.mark.parametrize("score", [records.ACCURACY, records.LOSS], ids=lambda score: score.metric)
def test_what_more_tries_bring_is_drawn_for_each_value(score: Score) -> None:
    evidence = study(score)
    (figure,) = drawn(overview.expected(evidence))
    ends = {str(line.get_label()): float(np.asarray(line.get_ydata())[-1]) for line in figure.axes[0].lines}
    assert ends == pytest.approx(
        {hue: score.best(rows["score"]) for hue, rows in evidence.labelled.groupby("optimizer")}
    )
    lay_out(figure)


HOSTILE: dict[str, Callable[[Evidence], Iterator[Picture]]] = {
    "answer": answer.answer,
    "response": response.responses,
    "cells": cells.heat_maps,
    "effects": response.effects,
    "parallel": overview.parallel,
}


@pytest.mark.parametrize("draw", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_value_that_means_something_to_matplotlib_is_only_text(
    draw: Callable[[Evidence], Iterator[Picture]],
) -> None:
    long = "o" * 140
    tried = records.grid(
        {"init": [r"$\frac{", "_%$#", f"{long}a", f"{long}b"], "lr": [0.1, 0.2, 0.3], "seed": [0, 1]}
    )
    evidence = known(records.runs(tried, [0.5 + i / 100 for i in range(24)]))
    with mpl.rc_context(STYLE):
        (figure,) = drawn(draw(evidence))
    assert any(r"$\frac{" in text for text in texts(figure))
    lay_out(figure)
