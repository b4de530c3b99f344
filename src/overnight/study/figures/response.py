"""Accuracy as a function of a hyperparameter that is a number: the learning rate above all."""

import math
from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from overnight.study.design import is_number, legible
from overnight.study.figures.style import CHOSEN, MARKERS, NEUTRAL, Colours, brief, floor, handle, new

MOST_TICKS = 12
WIDE = 20  # largest over smallest: from here on the axis is logarithmic


def response(runs: pd.DataFrame, settings: pd.DataFrame, key: str, hue: str | None, hues: Colours) -> Figure:
    """Draw the validation accuracy over a number, a line for each value of another hyperparameter.

    A line is the best over all that else was tuned, of the means over the replicates; dots are single runs.
    A triangle at the lower edge stands for a run below it, a cross for one that diverged. The ring marks the
    best of a line.

    Args:
        runs: of ``frames.load``.
        settings: of ``arms.settings``.
        key: the number, on the horizontal axis.
        hue: what the colours mean; another key, or None for one line in grey.
        hues: a colour for each value of it.
    """
    hue, hues = (hue, hues) if hue else ("", {"": NEUTRAL})
    runs, settings = (table.assign(**{"": ""}) for table in (runs, settings))
    figure = new(6.5, 3.4)
    axes = figure.subplots()
    lowest = floor(settings["val/acc"])
    axes.set_ylim(lowest, settings["val/acc"].max() + 0.06 * (settings["val/acc"].max() - lowest))
    axes.set_xscale("log" if spans_magnitudes(settings[key]) else "linear")
    shifts = apart(len(hues), settings[key], axes.get_xscale())
    for (text, colour), marker, shift in zip(hues.items(), MARKERS * len(hues), shifts, strict=False):
        of_hue = settings[settings[hue].map(legible) == text]
        draw_runs(axes, runs[runs[hue].map(legible) == text], key, colour, lowest, shift)
        best = of_hue[[key, "val/acc"]].groupby(key).max().dropna().reset_index()
        inside = best["val/acc"].where(best["val/acc"] >= lowest)  # a line to the edge would invent a slope
        axes.plot(shift(best[key]), inside, color=colour, label=text, marker=marker, markersize=4)
        peak = best.nlargest(1, "val/acc")
        axes.plot(shift(peak[key]), peak["val/acc"], "o", color=CHOSEN, mfc="none", markersize=10)
    values = sorted(settings[key].dropna().unique())
    if len(values) <= MOST_TICKS:
        axes.set_xticks(values, [brief(value) for value in values])
        axes.minorticks_off()
    axes.set_xlabel(key)
    axes.set_ylabel("validation accuracy")
    figure.legend(handles=legend(hues, runs, lowest), title=hue, loc="outside right upper")
    return figure


def draw_runs(axes: Axes, runs: pd.DataFrame, key: str, colour: Any, lowest: float, shift: Any) -> None:
    """Draw single runs, those that are too low or diverged at the lower edge."""
    completed, diverged = (runs[runs["status"] == status] for status in ("completed", "diverged"))
    above, below = completed[completed["val/acc"] >= lowest], completed[completed["val/acc"] < lowest]
    edge = axes.get_xaxis_transform()
    axes.plot(shift(above[key]), above["val/acc"], ".", color=colour, markersize=4, alpha=0.5)
    axes.plot(shift(below[key]), [0.02] * len(below), "v", color=colour, markersize=4, transform=edge)
    axes.plot(shift(diverged[key]), [0.06] * len(diverged), "x", color=colour, markersize=5, transform=edge)


def legend(hues: Colours, runs: pd.DataFrame, lowest: float) -> list[Any]:
    """Explain the colours, and those marks that are in the figure."""
    marks = [handle("best of the line", color=CHOSEN, marker="o", markerfacecolor="none", linestyle="")]
    if (runs.loc[runs["status"] == "completed", "val/acc"] < lowest).any():
        marks += [handle(f"below {lowest:.2f}", color=NEUTRAL, marker="v", linestyle="", markersize=4)]
    if (runs["status"] == "diverged").any():
        marks += [handle("diverged", color=NEUTRAL, marker="x", linestyle="", markersize=5)]
    lines = [
        handle(text, color=colour, marker=marker, markersize=4)
        for (text, colour), marker in zip(hues.items(), MARKERS * len(hues), strict=False)
        if text
    ]
    return lines + marks


def spans_magnitudes(values: pd.Series) -> bool:
    """Tell whether the values want a logarithmic axis."""
    return bool(values.min() > 0 and values.max() / values.min() > WIDE)


def apart(count: int, values: pd.Series, scale: str) -> list[Any]:
    """Return functions that shift the lines a little sideways, so that their marks do not hide each other."""
    steps = [index - (count - 1) / 2 for index in range(count)]
    if scale == "log":
        width = 0.012 * math.log(values.max() / values.min())
        return [lambda x, s=step: [v * math.exp(s * width) for v in x] for step in steps]
    width = 0.008 * (values.max() - values.min())
    return [lambda x, s=step: [v + s * width for v in x] for step in steps]


def responsive(settings: pd.DataFrame, keys: Iterable[str]) -> list[str]:
    """Return those keys that are numbers with at least three values, the learning rate first."""
    numeric = [
        key
        for key in keys
        if settings[key].nunique() > 2 and all(map(is_number, settings[key].dropna().unique()))  # noqa: PLR2004
    ]
    return sorted(numeric, key=lambda key: key != "lr")
