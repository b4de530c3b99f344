"""A table of two hyperparameters, or of two classes, as coloured cells with their numbers."""

from collections.abc import Iterable, Iterator
from itertools import combinations, islice
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from overnight.study.cautions import SAME, edge_of
from overnight.study.effort import importances
from overnight.study.evidence import Evidence
from overnight.study.figures import style
from overnight.study.figures.response import responsive
from overnight.study.figures.style import ACCENT, CHOSEN, Picture, brief, in_order
from overnight.study.score import Score

DARK = 0.55  # of the scale: from here on the numbers are white
MOST_MAPS = 3
WIDEST = 0.1  # of shares: what lies further from the best is white


def heat_maps(evidence: Evidence) -> Iterator[Picture]:
    """Show the best score for pairs of hyperparameters, of many settings the most important pairs."""
    settings, score, keys = evidence.settings, evidence.plan.score, style.drawable(evidence)
    if len(settings) >= style.MANY and len(evidence.varied) > 1:
        ranked = importances(settings, evidence.varied, score)["key"]
        keys = [key for key in ranked if key in keys]
    numbers = responsive(settings, evidence.varied)
    reach = score.written(style.reach_of(settings["score"], score, WIDEST), 1)
    for row, column in islice(combinations(keys, 2), MOST_MAPS):
        across = (column, row) if row in numbers and column not in numbers else (row, column)
        yield Picture(
            f"heat_{row}_{column}",
            f"Best {score.metric} by {row} and {column}",
            "A cell has the best mean over the replicates, whatever the other settings. The best cell is "
            f"framed; a white one is worse by {reach} or more. x: no run completed; *: some did not.",
            heat_map(settings, *across, score),
        )


def heat_map(settings: pd.DataFrame, row: str, column: str, score: Score) -> Figure:
    """Draw the best score for each pair of values; if that of all is at the edge of a grid, the axis says so.

    A cross stands where all runs did not complete, a star where some did, nothing where none was run.
    """
    rows, columns = in_order(settings[row]), in_order(settings[column])
    how: Any = {"score": "max", "runs": "sum", "completed": "sum"}
    signed = settings.assign(score=score.sign * settings["score"])  # the largest is the best
    table: Any = signed.pivot_table(list(how), row, column, aggfunc=how, dropna=False)
    best, tried, completed = (table[name].reindex(rows, columns=columns) for name in how)
    figure, (axes,) = style.panels(1, 1, min(6.5, 1.8 + 0.62 * len(columns)), 1.1 + 0.36 * len(rows))
    reach, lost = style.reach_of(settings["score"], score, WIDEST), tried > completed
    y, x = map(int, np.unravel_index(np.nanargmax(best.to_numpy(float)), best.shape))
    written = best.map(lambda value: score.written(score.sign * value, 1)) + np.where(lost, "*", "")
    draw(axes, best, written, (best.iloc[y, x] - reach, best.iloc[y, x]))
    for at_y, at_x in np.argwhere((best.isna() & tried.notna()).to_numpy()):
        axes.text(at_x, at_y, "x", ha="center", va="center", color=ACCENT)
    axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=CHOSEN, linewidth=2))
    ties = np.argwhere((best.iloc[y, x] - best < SAME).to_numpy())
    axes.set(ylabel=row + at_edge(rows, ties[:, 0]), xlabel=column + at_edge(columns, ties[:, 1]))
    return figure


def draw(axes: Axes, table: pd.DataFrame, texts: pd.DataFrame, limits: tuple[float, float]) -> None:
    """Colour the cells between two limits, and write a text into each that is not NaN."""
    values, written = table.to_numpy(float), texts.to_numpy(str)
    scale = mpl.colors.Normalize(*limits, clip=True)
    axes.imshow(values, cmap="Blues", norm=scale, aspect="auto")
    for y, x in np.argwhere(~np.isnan(values)):
        colour = "white" if scale(values[y, x]) > DARK else "black"
        axes.text(x, y, written[y, x], ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(table.shape[1]), [brief(value, 12) for value in table.columns])
    axes.set_yticks(range(table.shape[0]), [brief(value, 24) for value in table.index])
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)


def at_edge(values: list[Any], places: Iterable[int]) -> str:
    """Say that the best of a grid of numbers, by their places, is the smallest or the largest one."""
    return "\n(best at the edge of the grid)" if edge_of([values[place] for place in places], values) else ""
