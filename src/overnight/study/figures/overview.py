"""All runs at once: which hyperparameters matter, what the good runs share, what more runs would bring."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path

from overnight.study.design import legible
from overnight.study.figures.style import (
    ACCENT,
    NEUTRAL,
    Colours,
    brief,
    handle,
    in_order,
    new,
    reach_of,
    window,
)
from overnight.study.score import Score

BEST = 10
SPREAD = 0.36  # of the distance between two values: lines through the same value lie side by side


def importance(table: pd.DataFrame) -> Figure:
    """Draw ``importance.importances`` as bars."""
    ranked = table[::-1]
    figure = new(6.5, 0.7 + 0.28 * len(ranked))
    axes = figure.subplots()
    bars = axes.barh([brief(key) for key in ranked["key"]], ranked["importance"], color=NEUTRAL)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set_xlim(0, 1)
    axes.set_xlabel("share of the importance (PED-ANOVA)")
    axes.grid(visible=False, axis="y")
    return figure


def parallel(runs: pd.DataFrame, keys: tuple[str, ...], score: Score) -> Figure:
    """Draw each run as a line through its values; the ten best in red, the others darker the better.

    Args:
        runs: of ``design.labelled``; only those with a score are drawn.
        keys: the hyperparameters, an axis for each.
        score: of the design.
    """
    ranked = score.ranked(runs.dropna(subset="score"))[::-1]
    positions = np.column_stack([*(spread(ranked[key]) for key in keys), scaled(ranked["score"], score)])
    figure = new(6.5, 3.6)
    axes = figure.subplots()
    shades = mpl.colormaps["Greys"](0.15 + 0.6 * positions[:, -1])
    for number, line in enumerate(positions):
        leading = number >= len(positions) - BEST
        curve = mpl.patches.PathPatch(
            smooth(line),
            facecolor="none",
            edgecolor=ACCENT if leading else shades[number],
            linewidth=1.4 if leading else 0.6,
            alpha=0.9 if leading else 0.7,
            zorder=3 if leading else 2,
            rasterized=not leading,
        )
        axes.add_patch(curve)
    label_axes(axes, ranked, keys, score)
    entries = [
        handle(f"the {min(BEST, len(ranked))} best runs", color=ACCENT),
        handle("the others, darker the better", color=NEUTRAL, linewidth=0.8),
    ]
    figure.legend(handles=entries, loc="outside upper center", ncols=2)
    return figure


def spread(values: pd.Series) -> np.ndarray:
    """Return a height between 0 and 1 for each run: of its value, and its rank among those who share it."""
    texts = values.map(legible)
    places = {legible(value): place for place, value in enumerate(in_order(values))}
    rank = texts.groupby(texts).cumcount() + 0.5
    count = texts.map(texts.value_counts())
    heights = texts.map(places) + SPREAD * (2 * rank / count - 1)
    return np.asarray((heights + 0.5) / len(places), dtype=float)


def scaled(values: pd.Series, score: Score) -> np.ndarray:
    """Return a height between 0 and 1 for each score: 1 for the best, 0 for all that are far from it."""
    behind = (values - score.best(values)).abs()
    return np.asarray((1 - behind / (reach_of(values, score) or 1)).clip(0, 1))


def smooth(heights: np.ndarray) -> Path:
    """Return a curve that runs level through each axis, so that the eye can follow it."""
    points: list[tuple[float, float]] = [(0.0, heights[0])]
    for place in range(1, len(heights)):
        points += [(place - 0.5, heights[place - 1]), (place - 0.5, heights[place]), (place, heights[place])]
    codes = [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)
    return Path(points, codes)


def label_axes(axes: Axes, ranked: pd.DataFrame, keys: tuple[str, ...], score: Score) -> None:
    """Write the values beside each axis."""
    for place, key in enumerate(keys):
        values = in_order(ranked[key])
        axes.axvline(place, color="0.6", linewidth=0.8)
        for number, value in enumerate(values):
            height = (number + 0.5) / len(values)
            looks: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}
            axes.text(
                place, height, brief(value, 14), fontsize=8, ha="center", va="center", bbox=looks, zorder=4
            )
    last, best, reach = len(keys), score.best(ranked["score"]), reach_of(ranked["score"], score)
    axes.axvline(last, color="0.6", linewidth=0.8)
    for height in (0, 0.25, 0.5, 0.75, 1):
        text = score.written(best - score.sign * (1 - height) * reach, 1)
        axes.text(last + 0.03, height, text, fontsize=8, va="center")
    axes.set_xticks(range(len(keys) + 1), [*(brief(key, 16) for key in keys), str(score.metric)])
    axes.tick_params(axis="x", length=0)
    axes.set_yticks([])
    axes.set_xlim(-0.3, last + 0.3)
    axes.set_ylim(-0.03, 1.03)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)


def expected(table: pd.DataFrame, hues: Colours, score: Score) -> Figure:
    """Draw ``effort.expected_best``: what the best of k runs would be expected to reach, for each arm.

    Args:
        table: with ``hue``, the text of the one scientific hyperparameter, beside its own columns.
        hues: a colour for each of these.
        score: of the design.
    """
    figure = new(6.5, 3.0)
    axes = figure.subplots()
    shown = window(table["score"], score)
    for text, colour in hues.items():
        rows = table[table["hue"] == text]
        if not shown.misses(rows["score"]).all():
            axes.plot(rows["runs"], rows["score"], color=colour, label=brief(text))
    axes.set_ylim(shown.low, shown.high)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axes.set_xlabel("runs tried, drawn at random from those of the study")
    axes.set_ylabel(f"expected best {score.label}")
    figure.legend(loc="outside right upper")
    return figure
