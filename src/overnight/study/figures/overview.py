"""All runs at once: which hyperparameters matter, what the good runs share, what more runs would bring."""

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.path import Path

from overnight.study.design import legible
from overnight.study.figures import style
from overnight.study.figures.style import ACCENT, NEUTRAL, Colours, brief
from overnight.study.score import Score

BEST = 10
SPREAD = 0.36  # of the distance between two values: lines through the same value lie side by side
LEADING: Any = {"edgecolor": ACCENT, "linewidth": 1.4, "alpha": 0.9, "zorder": 3}
OTHER: Any = {"linewidth": 0.6, "alpha": 0.7, "zorder": 2, "rasterized": True}


def importance(table: pd.DataFrame) -> Figure:
    """Draw ``effort.importances`` as bars."""
    ranked = table[::-1]
    figure, (axes,) = style.panels(1, 1, 6.5, 0.7 + 0.28 * len(ranked))
    bars = axes.barh([brief(key) for key in ranked["key"]], ranked["importance"], color=NEUTRAL)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set(xlim=(0, 1), xlabel="share of the importance (PED-ANOVA)")
    axes.grid(visible=False, axis="y")
    return figure


def parallel(runs: pd.DataFrame, keys: tuple[str, ...], score: Score) -> Figure:
    """Draw each run as a line through its values; the ten best in red, the others darker the better."""
    ranked = score.ranked(runs.dropna(subset="score"))[::-1]
    positions = np.column_stack([*(spread(ranked[key]) for key in keys), scaled(ranked["score"], score)])
    figure, (axes,) = style.panels(1, 1, 6.5, 3.6)
    shades = mpl.colormaps["Greys"](0.15 + 0.6 * positions[:, -1])
    for number, line in enumerate(positions):
        looks = LEADING if number >= len(positions) - BEST else OTHER | {"edgecolor": shades[number]}
        axes.add_patch(mpl.patches.PathPatch(smooth(line), facecolor="none", **looks))
    _label_axes(axes, ranked, keys, score)
    entries = [
        style.handle(f"the {min(BEST, len(ranked))} best runs", color=ACCENT),
        style.handle("the others, darker the better", color=NEUTRAL, linewidth=0.8),
    ]
    figure.legend(handles=entries, loc="outside upper center", ncols=2)
    return figure


def spread(values: pd.Series) -> np.ndarray:
    """Return a height between 0 and 1 for each run: of its value, and its rank among those who share it."""
    texts = values.map(legible)
    places = {legible(value): place for place, value in enumerate(style.in_order(values))}
    groups = texts.groupby(texts)
    rank = (groups.cumcount() + 0.5) / groups.transform("size")
    heights = texts.map(places) + SPREAD * (2 * rank - 1)
    return np.asarray((heights + 0.5) / len(places), dtype=float)


def scaled(values: pd.Series, score: Score) -> np.ndarray:
    """Return a height between 0 and 1 for each score: 1 for the best, 0 for all that are far from it."""
    behind = (values - score.best(values)).abs()
    return np.asarray((1 - behind / (style.reach_of(values, score) or 1)).clip(0, 1))


def smooth(heights: np.ndarray) -> Path:
    """Return a curve that runs level through each axis, so that the eye can follow it."""
    points: list[tuple[float, float]] = [(0.0, heights[0])]
    for place in range(1, len(heights)):
        points += [(place - 0.5, heights[place - 1]), (place - 0.5, heights[place]), (place, heights[place])]
    return Path(points, [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1))


def _label_axes(axes: Axes, ranked: pd.DataFrame, keys: tuple[str, ...], score: Score) -> None:
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}
    looks: Any = {"fontsize": 8, "ha": "center", "va": "center", "bbox": box, "zorder": 4}
    for place, key in enumerate(keys):
        values = style.in_order(ranked[key])
        for number, value in enumerate(values):
            axes.text(place, (number + 0.5) / len(values), brief(value, 14), **looks)
    last, best, reach = len(keys), score.best(ranked["score"]), style.reach_of(ranked["score"], score)
    for height in (0, 0.25, 0.5, 0.75, 1):
        text = score.written(best - score.sign * (1 - height) * reach, 1)
        axes.text(last + 0.03, height, text, fontsize=8, va="center")
    axes.vlines(range(last + 1), -0.03, 1.03, color="0.6", linewidth=0.8)
    axes.set_xticks(range(last + 1), [*(brief(key, 16) for key in keys), str(score.metric)])
    axes.tick_params(axis="x", length=0)
    axes.set(yticks=[], xlim=(-0.3, last + 0.3), ylim=(-0.03, 1.03))
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)


def expected(table: pd.DataFrame, hues: Colours, score: Score) -> Figure:
    """Draw ``effort.expected_best``: what the best of k runs would be expected to reach, for each arm.

    ``table`` has ``hue`` beside its own columns: the text of the one scientific hyperparameter.
    """
    figure, (axes,) = style.panels(1, 1, 6.5, 3.0)
    shown, lines = style.window(table["score"], score), []
    for text, colour in hues.items():
        rows = table[table["hue"] == text]
        if not shown.misses(rows["score"]).all():
            lines += axes.plot(rows["runs"], rows["score"], color=colour, label=brief(text))
    axes.set(ylim=(shown.low, shown.high), ylabel=f"expected best {score.label}")
    axes.set_xlabel("runs tried, drawn at random from those of the study")
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    figure.legend(handles=lines, loc="outside right upper")
    return figure
