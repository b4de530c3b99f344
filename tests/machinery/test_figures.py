"""Figures say what the tables say: read off the artists, not the pixels."""

import io
from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle

import records
from overnight.study.arms import arms, settings, winners
from overnight.study.design import design
from overnight.study.effort import expected_best
from overnight.study.figures import answer, cells, classes, curves, effects, overview, response, signals
from overnight.study.figures.style import DISTINCT, OTHERS, STYLE, brief, colours, floor, in_order
from overnight.study.importance import importances

STUDY: dict[str, Any] = {"optimizer": ["sgd", "adam"], "lr": [0.001, 0.01, 0.1, 1.0], "seed": [0, 1, 2]}
BEST = {"sgd": 0.1, "adam": 0.01}


def reached(setting: dict[str, Any]) -> float | None:
    """Return 0.9 at the optimizer's best rate and 0.05 less for each step away; sgd diverges at 1."""
    if (setting["optimizer"], setting["lr"]) == ("sgd", 1.0):
        return None
    steps = abs(np.log10(setting["lr"]) - np.log10(BEST[setting["optimizer"]]))
    return float(0.9 - 0.05 * steps + 0.001 * setting["seed"])


@pytest.fixture
def runs() -> pd.DataFrame:
    tried = records.grid(STUDY)
    table = records.runs(tried, [reached(setting) for setting in tried])
    return table.assign(path=table["name"])


@pytest.fixture
def histories(runs: pd.DataFrame) -> pd.DataFrame:
    """Return curves of five epochs that end at what each run reached."""
    return pd.DataFrame(
        {"path": run["path"], "epoch": epoch, "split": split, "acc": run["val/acc"] * epoch / 5, "loss": 1.0}
        for run in runs.to_dict("records")
        for epoch in range(6)
        for split in ("train", "val", "test")
    ).dropna()


def texts(figure: Figure) -> list[str]:
    """Return all texts in a figure, those of the axes and legends too."""
    return [text.get_text() for text in figure.findobj(mpl.text.Text)]


def drawn(figure: Figure) -> bytes:
    """Return the figure as PNG; a warning on the way fails the test."""
    file = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(file, format="png")
    return file.getvalue()


def test_an_option_has_one_colour_and_numbers_have_a_scale() -> None:
    assert colours(["sgd", "adam", "sgd"]) == {"adam": DISTINCT[0], "sgd": DISTINCT[1]}
    scale = list(colours([0.5, 0.0, 0.1]).values())
    lightness = [sum(colour[:3]) for colour in scale]
    assert list(colours([0.5, 0.0, 0.1])) == ["0", "0.1", "0.5"]
    assert lightness == sorted(lightness)
    assert len(set(colours([f"option {i}" for i in range(10)]).values())) == 10


def test_values_are_ordered_as_a_person_would() -> None:
    assert in_order(["b", 10, 9.0, "a", 9, None, 0.5]) == [0.5, 9.0, 10, None, "a", "b"]


@pytest.mark.parametrize(
    ("accuracies", "lowest"),
    [([0.8, 0.9], 0.8), ([0.1, 0.9], 0.75), ([0.9], 0.9), ([0.9, np.nan], 0.9)],
    ids=["close", "far apart", "one", "missing"],
)
def test_an_axis_begins_a_little_below_what_is_worth_seeing(accuracies: list[float], lowest: float) -> None:
    assert lowest - 0.02 < floor(pd.Series(accuracies)) < lowest


def test_the_answer_has_a_line_for_each_arm_with_its_interval(runs: pd.DataFrame) -> None:
    plan = design(runs)
    best = arms(runs, plan)
    figure = answer.answer(best, winners(runs, plan), plan, colours(runs["optimizer"]))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == best["optimizer"].tolist()
    assert {"lr=0.01; n=3", "lr=0.1; n=3"} <= set(texts(figure))
    intervals = [line.get_xdata() for line in axes.lines if line.get_linewidth() == 2]
    assert np.allclose(np.array(intervals), best[["val/acc low", "val/acc high"]])
    assert drawn(figure)


def test_curves_have_a_panel_for_each_arm_and_a_line_for_each_split(
    runs: pd.DataFrame, histories: pd.DataFrame
) -> None:
    plan = design(runs)
    chosen = winners(runs, plan)
    for measure in curves.MEASURES:
        figure = curves.learning_curves(histories, chosen, plan, colours(runs["optimizer"]), measure)
        titles = {"\n".join([arm, f"lr={rate}"]) for arm, rate in BEST.items()}
        assert {panel.get_title(loc="left") or panel.get_title() for panel in figure.axes} == titles
        assert [len(panel.lines) for panel in figure.axes] == [3, 3]
        assert drawn(figure)
    ends = [panel.lines[1].get_ydata()[-1] for panel in figure.axes]  # type: ignore[index]
    assert ends == [1.0, 1.0]


def test_many_runs_are_drawn_as_quantiles_and_the_best(runs: pd.DataFrame, histories: pd.DataFrame) -> None:
    figure = curves.all_runs(histories, runs, design(runs), colours(runs["optimizer"]))
    assert [len(panel.lines) for panel in figure.axes] == [2, 2]
    best = np.asarray(figure.axes[0].lines[1].get_ydata())
    assert best[-1] == pytest.approx(runs.loc[runs["optimizer"] == "adam", "val/acc"].max())
    assert drawn(figure)


def test_a_response_marks_the_best_rate_and_what_diverged(runs: pd.DataFrame) -> None:
    plan = design(runs)
    figure = response.response(runs, settings(runs, plan), "lr", "optimizer", colours(runs["optimizer"]))
    (axes,) = figure.axes
    assert axes.get_xscale() == "log"
    rings = [line for line in axes.lines if line.get_markersize() == 10]
    assert [float(np.ravel(ring.get_ydata())[0]) for ring in rings] == pytest.approx([0.901, 0.901])
    crosses = [line for line in axes.lines if line.get_marker() == "x"]
    assert [len(np.ravel(cross.get_xdata())) for cross in crosses] == [0, 3]
    assert "diverged" in texts(figure)
    assert drawn(figure)


def test_only_numbers_with_three_values_have_a_response(runs: pd.DataFrame) -> None:
    table = settings(runs, design(runs)).assign(dropout=0.5)
    assert response.responsive(table, ("optimizer", "dropout", "lr")) == ["lr"]


def framed(figure: Figure) -> tuple[float, float]:
    """Return the column and the row of the framed cell."""
    (frame,) = [p for p in figure.axes[0].patches if isinstance(p, Rectangle) and not p.get_fill()]
    return frame.get_x() + 0.5, frame.get_y() + 0.5


def test_a_heat_map_frames_the_best_cell_and_crosses_out_the_diverged(runs: pd.DataFrame) -> None:
    figure = cells.heat_map(settings(runs, design(runs)), "optimizer", "lr")
    assert framed(figure) == (1, 0)  # adam, 0.01
    assert texts(figure).count("x") == 1
    assert {"0.901", "0.851"} <= set(texts(figure))
    assert drawn(figure)


@pytest.mark.parametrize(
    ("values", "place", "warned"),
    [
        ([1, 2, 3], 2, True),
        ([1, 2, 3], 1, False),
        ([0, 1, 2], 0, False),
        ([1, 2], 1, False),
        (["a", "b", "c"], 2, False),
    ],
    ids=["largest", "inside", "zero", "two values", "names"],
)
def test_an_edge_of_a_grid_is_named_in_the_heat_map(values: list[Any], place: int, warned: bool) -> None:
    assert bool(cells.at_edge(values, place)) is warned


def test_effects_show_the_best_of_each_value(runs: pd.DataFrame) -> None:
    plan = design(runs)
    table = settings(runs, plan)
    figure = effects.effects(table, (*plan.scientific, *plan.nuisance), colours(runs["optimizer"]))
    dots = {
        (panel.get_ylabel(), float(np.ravel(line.get_xdata())[0]))
        for panel in figure.axes
        for line in panel.lines
        if line.get_markersize() == 5
    }
    best = {("lr", v) for v in table.groupby("lr")["val/acc"].max()} | {
        ("optimizer", v) for v in table.groupby("optimizer")["val/acc"].max()
    }
    assert dots == best
    assert "3 of 12 runs diverged or failed" in "".join(texts(figure))
    assert drawn(figure)


def test_importance_is_given_to_what_decides(runs: pd.DataFrame) -> None:
    idle = pd.concat([runs.assign(noise=noise) for noise in ("a", "b")], ignore_index=True)
    plan = design(idle, ("noise",))
    table = importances(settings(idle, plan), ("noise", "lr", "optimizer"))
    assert table["key"].iloc[0] == "lr"
    assert table["importance"].sum() == pytest.approx(1)
    assert table.set_index("key")["importance"]["noise"] == pytest.approx(0, abs=1e-6)
    assert drawn(overview.importance(table))


def test_every_run_with_a_result_has_a_line_from_its_settings_to_its_accuracy(runs: pd.DataFrame) -> None:
    figure = overview.parallel(runs, ("optimizer", "lr"))
    (axes,) = figure.axes
    lines = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    assert len(lines) == runs["val/acc"].notna().sum() == 21
    assert sum(line.get_linewidth() > 1 for line in lines) == 10
    heights = overview.spread(runs["optimizer"])
    assert (heights[runs["optimizer"] == "sgd"] > heights[runs["optimizer"] == "adam"].max()).all()
    assert drawn(figure)


def test_classes_are_named_and_shares_sum_to_a_hundred() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    table = pd.DataFrame({"label": labels, "prediction": np.where(rng.random(300) < 0.8, labels, 0)})
    names = ("shirt & $tie$", "coat", "bag")
    figure = classes.confusion(table, names)
    shares = [float(text) for text in texts(figure) if text.replace(".", "").isdigit()]
    assert sum(shares) == pytest.approx(300, abs=0.5)
    assert set(names) <= set(texts(figure))
    assert drawn(figure)
    by_class = classes.by_class(table, names)
    right = (table["label"] == table["prediction"]).groupby(table["label"]).mean()
    assert by_class.axes[0].get_yticklabels()[-1].get_text() == names[int(np.argmin(right))]
    wrong = table[table["label"] != table["prediction"]].assign(probability=0.9)
    shown = classes.errors(wrong, np.zeros((len(wrong), 28, 28)), names)
    assert len(shown.axes) == min(classes.SHOWN, len(wrong))
    assert drawn(shown)


def test_a_signal_that_is_zero_is_named_since_it_cannot_be_drawn() -> None:
    rows = [("zeros", 1, 0.0, 0.0), ("zeros", 2, 0.0, 0.0), ("normal", 1, 1.0, 0.1), ("normal", 2, 9.0, 0.2)]
    table = pd.DataFrame(rows, columns=["hue", "layer", "activation", "gradient"])
    with mpl.rc_context(STYLE):
        figure = signals.signals(table, colours(table["hue"]), "init")
    assert drawn(figure)
    assert {"zeros (zero)", "normal", "1", "0.1"} <= set(texts(figure))
    assert not any("math" in text for text in texts(figure))


def test_labels_keep_both_ends_of_a_long_name_and_three_digits_of_a_number() -> None:
    assert brief("a" * 30 + "b" * 30, 11) == "aaaaa…bbbbb"
    assert brief(0.110470121637) == "0.11"
    assert brief("short") == "short"


def test_beyond_ten_names_the_others_share_a_grey() -> None:
    looks = list(colours([f"option {i:02}" for i in range(12)]).values())
    assert looks[10:] == [OTHERS] * 2
    assert OTHERS not in looks[:10]


def test_what_more_tries_bring_is_drawn_for_each_value(runs: pd.DataFrame) -> None:
    plan = design(runs)
    table = expected_best(runs, plan)
    table["hue"] = table["arm"].str.removeprefix("optimizer=")
    figure = overview.expected(table, colours(runs["optimizer"]))
    ends = {str(line.get_label()): float(np.asarray(line.get_ydata())[-1]) for line in figure.axes[0].lines}
    assert ends == pytest.approx(runs.groupby("optimizer")["val/acc"].max().to_dict())
    assert drawn(figure)


HOSTILE: dict[str, Callable[[pd.DataFrame], Figure]] = {
    "answer": lambda runs: answer.answer(
        arms(runs, design(runs)), winners(runs, design(runs)), design(runs), colours(runs["init"])
    ),
    "response": lambda runs: response.response(
        runs, settings(runs, design(runs)), "lr", "init", colours(runs["init"])
    ),
    "cells": lambda runs: cells.heat_map(settings(runs, design(runs)), "init", "lr"),
    "effects": lambda runs: effects.effects(
        settings(runs, design(runs)), ("init", "lr"), colours(runs["init"])
    ),
    "parallel": lambda runs: overview.parallel(runs, ("init", "lr")),
}


@pytest.mark.parametrize("draw", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_value_that_means_something_to_matplotlib_is_only_text(
    draw: Callable[[pd.DataFrame], Figure],
) -> None:
    long = "o" * 140
    tried = records.grid(
        {"init": [r"$\frac{", "_%$#", f"{long}a", f"{long}b"], "lr": [0.1, 0.2, 0.3], "seed": [0, 1]}
    )
    runs = records.runs(tried, [0.5 + i / 100 for i in range(24)])
    with mpl.rc_context(STYLE):
        figure = draw(runs)
    assert any(r"$\frac{" in text for text in texts(figure))
    assert drawn(figure)
