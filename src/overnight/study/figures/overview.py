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
    WIDEST,
    Colours,
    brief,
    floor,
    handle,
    in_order,
    new,
)

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


def parallel(runs: pd.DataFrame, keys: tuple[str, ...]) -> Figure:
    """Draw each run as a line through its values; the ten best in red, the others darker the better.

    Args:
        runs: of ``frames.load``; only the completed ones are drawn.
        keys: the hyperparameters, an axis for each.
    """
    ranked = runs[runs["status"] == "completed"].sort_values("val/acc", kind="stable")
    best = ranked["val/acc"].max()
    positions = np.column_stack([spread(ranked[key]) for key in keys] + [scaled(ranked["val/acc"], best)])
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
    label_axes(axes, ranked, keys, best)
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


def scaled(accuracies: pd.Series, best: float) -> np.ndarray:
    """Return a height between 0 and 1 for each accuracy; what is far below the best lies at 0."""
    lowest = max(accuracies.min(), best - WIDEST)
    return np.asarray(((accuracies - lowest) / max(best - lowest, 1e-9)).clip(0, 1))


def smooth(heights: np.ndarray) -> Path:
    """Return a curve that runs level through each axis, so that the eye can follow it."""
    points: list[tuple[float, float]] = [(0.0, heights[0])]
    for place in range(1, len(heights)):
        points += [(place - 0.5, heights[place - 1]), (place - 0.5, heights[place]), (place, heights[place])]
    codes = [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1)
    return Path(points, codes)


def label_axes(axes: Axes, ranked: pd.DataFrame, keys: tuple[str, ...], best: float) -> None:
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
    last, lowest = len(keys), max(ranked["val/acc"].min(), best - WIDEST)
    axes.axvline(last, color="0.6", linewidth=0.8)
    for share in (0, 0.25, 0.5, 0.75, 1):
        text = f"{lowest + share * (best - lowest):.3f}"
        axes.text(last + 0.03, share, text, fontsize=8, va="center")
    axes.set_xticks(range(len(keys) + 1), [*(brief(key, 16) for key in keys), "val/acc"])
    axes.tick_params(axis="x", length=0)
    axes.set_yticks([])
    axes.set_xlim(-0.3, last + 0.3)
    axes.set_ylim(-0.03, 1.03)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)


def expected(table: pd.DataFrame, hues: Colours) -> Figure:
    """Draw ``effort.expected_best``: what the best of k runs would be expected to reach, for each arm.

    Args:
        table: with ``hue``, the text of the one scientific hyperparameter, beside its own columns.
        hues: a colour for each of these.
    """
    figure = new(6.5, 3.0)
    axes = figure.subplots()
    lowest = floor(table["val/acc"])
    for text, colour in hues.items():
        rows = table[table["hue"] == text]
        if rows["val/acc"].max() >= lowest:
            axes.plot(rows["runs"], rows["val/acc"], color=colour, label=brief(text))
    axes.set_ylim(bottom=lowest)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axes.set_xlabel("runs tried, drawn at random from those of the study")
    axes.set_ylabel("expected best validation accuracy")
    figure.legend(loc="outside right upper")
    return figure
