"""Figures say what the tables say: read off the artists, not the pixels."""

from collections.abc import Callable, Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

import records
from drawings import BEST, drawn, known, lay_out, study, texts
from overnight.study.evidence import Evidence
from overnight.study.figures import answer, cells, curves, overview, response
from overnight.study.figures.style import STYLE, Picture
from overnight.study.score import Score


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
