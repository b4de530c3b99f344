"""The common looks of all figures: type, lines, the range of axes, and one colour for each option."""

from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from overnight.study.design import is_number, legible
from overnight.study.evidence import Evidence
from overnight.study.score import Score

STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "legend.frameon": False,
    "lines.linewidth": 1.5,
    "savefig.dpi": 150,
    "text.parse_math": False,  # a dollar in a setting's value is a dollar
    "pdf.fonttype": 42,  # text stays text, and can be searched for
}
"""For ``matplotlib.rc_context``, around drawing and saving."""

NEUTRAL = "0.35"
OTHERS = "0.7"
CHOSEN = "black"
ACCENT = "#b00020"
DISTINCT = [mpl.color_sequences["petroff10"][i] for i in (0, 1, 2, 4, 5, 6, 7, 9, 3, 8)]
"""Told apart by the colour-blind too (Petroff, arXiv:2107.02270); the greys, like NEUTRAL, come last."""

MANY = 20  # runs or settings: from here on their distribution says something
MOST_VALUES = 12  # of a hyperparameter that are drawn as rows or columns
WIDEST = 0.15  # of shares: what lies further from the best is drawn at the edge
Colours = dict[str, Any]
Looks = dict[str, Any]

GREY: Looks = {"color": NEUTRAL}
ABOVE: Looks = {"loc": "outside upper center", "ncols": 3}
BESIDE: Looks = {"loc": "outside right upper", "ncols": 1}


class Picture(NamedTuple):
    """A figure as a report shows it."""

    name: str  # of its files
    title: str  # what it shows, in a few words
    caption: str  # how to read it
    figure: Figure  # drawn, not yet saved


def colours(values: Iterable[Any]) -> Colours:
    """Return a colour for each value, by its text: a scale for numbers, distinct colours for names.

    Of names the first ten have one; the others share a grey.
    """
    ordered = in_order(values)
    if all(map(is_number, ordered)) and len(ordered) > 2:  # noqa: PLR2004 - two need no scale
        looks: list[Any] = [*map(tuple, mpl.colormaps["viridis"](np.linspace(0, 0.88, len(ordered))))]
    else:
        looks = [*DISTINCT, *[OTHERS] * len(ordered)]
    return dict(zip(map(legible, ordered), looks, strict=False))


def hues_of(evidence: Evidence) -> Colours:
    """Return a colour for each value of the first scientific hyperparameter; none if there is none."""
    first = evidence.plan.scientific[:1]
    return colours(evidence.runs[first[0]]) if first else {}


def hue_of(evidence: Evidence, arm: Mapping[Any, Any]) -> Any:
    """Return the colour of an arm."""
    hues = hues_of(evidence)
    return hues[legible(arm[evidence.plan.scientific[0]])] if hues else NEUTRAL


def marked(hues: Colours) -> dict[str, Looks]:
    """Return the looks of a line for each text: its colour, and a marker for those who print in grey."""
    pairs = zip(hues.items(), cycle("osD^v<>pPX"))
    return {text: {"color": hue, "marker": marker, "markersize": 4} for (text, hue), marker in pairs}


def in_order(values: Iterable[Any]) -> list[Any]:
    """Return the different values, numbers by size and before names."""
    distinct = {legible(value): value for value in values}.values()
    return sorted(distinct, key=lambda v: (not is_number(v), v if is_number(v) else 0, legible(v)))


def having(table: pd.DataFrame, key: str, text: str) -> pd.DataFrame:
    """Return the rows with a value of this text."""
    return table[table[key].map(legible) == text]


def drawable(evidence: Evidence) -> list[str]:
    """Return the hyperparameters whose values are few enough for rows or columns."""
    return [key for key in evidence.varied if len(in_order(evidence.settings[key])) <= MOST_VALUES]


def panels(count: int, columns: int, width: float, height: float, **shared: Any) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many panels of this size in inches, and the panels; a page is 6.5 wide."""
    columns = min(columns, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(columns * width, rows * height), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, **shared).ravel()
    for unused in axes[count:]:
        unused.set_axis_off()
    return figure, list(axes[:count])


class Window(NamedTuple):
    """The part of an axis of scores in which the good ones can be told apart."""

    low: float
    high: float
    sign: int  # of the score: worse ones lie beyond low if it is 1, beyond high if it is -1

    def misses(self, values: pd.Series) -> pd.Series:
        """Tell which scores are so bad that they lie outside."""
        return values < self.low if self.sign > 0 else values > self.high


def window(values: pd.Series, score: Score, times: int = 2) -> Window:
    """Return the part of an axis in which the better ones of some scores lie, with a margin."""
    best, reach = score.best(values), reach_of(values, score, WIDEST, times)
    return Window(*widened(*sorted((best, best - score.sign * reach))), score.sign)


def widened(low: float, high: float) -> tuple[float, float]:
    """Return a range with a margin on both sides; it is never empty."""
    margin = 0.05 * (high - low) or 0.01 * abs(high) or 0.01
    return low - margin, high + margin


def reach_of(values: pd.Series, score: Score, widest: float = WIDEST, times: int = 2) -> float:
    """Return how far from the best a score is worth drawing: a few bad ones must not flatten all others.

    That is ``widest`` for shares; for others it is so many times the distance of the median.
    """
    behind = (values.dropna() - score.best(values)).abs()
    return float(min(behind.max(), widest if score.share else times * behind.median() or behind.max()))


def brief(value: Any, width: int = 28) -> str:
    """Write a value as a label: a number with three digits, a long text without its middle."""
    text = f"{value:.3g}" if is_number(value) and pd.notna(value) else legible(value)
    end = (width - 1) // 2
    return text if len(text) <= width else f"{text[: width - 1 - end]}…{text[-end:]}"


def briefly(arm: Mapping[Any, Any], evidence: Evidence) -> str:
    """Write the values of an arm as a label; their keys stand in a title."""
    return brief(", ".join(brief(arm[key]) for key in evidence.plan.scientific), 56)


def tuned(arm: Mapping[Any, Any], evidence: Evidence) -> str:
    """Write what was chosen for an arm as a label."""
    return brief(", ".join(f"{key}={brief(arm[key], 12)}" for key in evidence.plan.nuisance), 36)


def legend(figure: Figure, entries: dict[str, Looks], **where: Any) -> None:
    """Name some looks, which are grey unless they say otherwise; above the axes unless told otherwise."""
    handles = [Line2D([], [], label=brief(text, 40), **GREY | entries[text]) for text in entries if text]
    figure.legend(handles=handles, **ABOVE | where)
