"""The score by the values of a hyperparameter: lines over a number, boxes over any values."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from overnight.study.design import is_number, legible
from overnight.study.figures import style
from overnight.study.figures.style import CHOSEN, NEUTRAL, Colours, Window
from overnight.study.score import Score

MOST_TICKS = 12
BEYOND = {1: ("v", "below"), -1: ("^", "above")}
"""The mark and the word for what is too bad to be drawn, by the sign of the score."""
STOPPED = {"diverged": "x", "pruned": "+"}
"""The marks of runs that have no score."""

WIDE = 20  # largest over smallest: from here on the axis is logarithmic
DOT: Any = {"marker": "o", "linestyle": "", "markersize": 5}
BEST: Any = {"color": CHOSEN, "marker": "o", "markerfacecolor": "none", "linestyle": ""}


def response(
    runs: pd.DataFrame, settings: pd.DataFrame, key: str, hue: str | None, hues: Colours, score: Score
) -> Figure:
    """Draw the score over a number, a line for each value of another hyperparameter.

    A line is the best over all that else was tuned, of the means over the replicates; dots are single runs.
    A triangle at the edge stands for a run beyond it, a cross for one that diverged, a plus for one that was
    pruned. The ring marks the best of a line.

    ``hues`` are of the values of ``hue``, another key; None makes one line in grey.
    """
    hue, hues = (hue, hues) if hue else ("", {"": NEUTRAL})
    runs, settings = (table.assign(**{"": ""}) for table in (runs, settings))
    values = sorted(settings[key].dropna().unique())
    figure, (axes,) = style.panels(1, 1, 6.5, 3.4)
    shown = style.window(runs["score"], score)
    axes.set(xlabel=key, ylabel=score.label, ylim=(shown.low, shown.high))
    axes.set_xscale("log" if values[0] > 0 and values[-1] > WIDE * values[0] else "linear")
    for place, (text, colour, marker) in enumerate(style.marked(hues)):
        shift = aside(place - (len(hues) - 1) / 2, values, axes.get_xscale())
        _draw_runs(axes, runs[runs[hue].map(legible) == text], key, colour, shown, shift)
        of_hue = settings[settings[hue].map(legible) == text].dropna(subset="score")
        best = score.ranked(of_hue).drop_duplicates(key).sort_values(key)
        inside = best["score"].mask(shown.misses(best["score"]))  # a line to the edge would invent a slope
        axes.plot(shift(best[key]), inside, color=colour, marker=marker, markersize=4)
        peak = score.ranked(best).head(1)
        axes.plot(shift(peak[key]), peak["score"], markersize=10, **BEST)
    if len(values) <= MOST_TICKS:
        axes.set_xticks(values, [style.brief(value) for value in values])
        axes.minorticks_off()
    figure.legend(handles=_legend(hues, runs, shown, score), title=hue, loc="outside right upper")
    return figure


def aside(steps: float, values: list[Any], scale: str) -> Any:
    """Return a function that shifts a line a little sideways, so that no marks hide those of another."""
    low, high = values[0], values[-1]
    if scale == "log":
        return lambda x: x * (high / low) ** (0.012 * steps)
    return lambda x: x + 0.008 * (high - low) * steps


def _draw_runs(axes: Axes, runs: pd.DataFrame, key: str, colour: Any, shown: Window, shift: Any) -> None:
    completed = runs[runs["score"].notna()]
    misses = shown.misses(completed["score"])
    inside, outside, marker = completed[~misses], completed[misses], BEYOND[shown.sign][0]
    edge = axes.get_xaxis_transform()
    at = [shown.inset(0.02)] * len(outside)
    axes.plot(shift(inside[key]), inside["score"], ".", color=colour, markersize=4, alpha=0.5)
    axes.plot(shift(outside[key]), at, marker, color=colour, markersize=4, transform=edge)
    for status, sign in STOPPED.items():
        stopped = runs[runs["status"] == status]
        crossed = [shown.inset(0.06)] * len(stopped)
        axes.plot(shift(stopped[key]), crossed, sign, color=colour, markersize=5, transform=edge)


def _legend(hues: Colours, runs: pd.DataFrame, shown: Window, score: Score) -> list[Any]:
    entries = [
        style.handle(text, color=c, marker=m, markersize=4) for text, c, m in style.marked(hues) if text
    ]
    entries += [style.handle("best of the line", **BEST)]
    if shown.misses(runs["score"]).any():
        marker, word = BEYOND[shown.sign]
        text = f"{word} {score.written(shown.low if shown.sign > 0 else shown.high, 2)}"
        entries += [style.handle(text, color=NEUTRAL, marker=marker, linestyle="", markersize=4)]
    return entries + [
        style.handle(status, color=NEUTRAL, marker=sign, linestyle="", markersize=5)
        for status, sign in STOPPED.items()
        if (runs["status"] == status).any()
    ]


def responsive(settings: pd.DataFrame, keys: Iterable[str]) -> list[str]:
    """Return those keys that are numbers with at least three values, the learning rate first."""
    values = {key: settings[key].dropna().unique() for key in keys}
    numeric = [key for key in values if len(values[key]) > 2 and all(map(is_number, values[key]))]  # noqa: PLR2004
    return sorted(numeric, key=lambda key: key != "lr")


def effects(settings: pd.DataFrame, keys: tuple[str, ...], hues: Colours, score: Score) -> Figure:
    """Draw a row of boxes for each hyperparameter: quartiles and range over all settings with this value.

    The dot is the best setting with this value: what it reaches when all else is tuned for it.

    ``hues`` are of the first key.
    """
    counts = [len(style.in_order(settings[key])) for key in keys]
    height = 0.7 / len(keys) + sum(0.35 + 0.24 * count for count in counts) / len(keys)
    rows = {"sharex": True, "height_ratios": [count + 0.6 for count in counts]}
    figure, axes = style.panels(len(keys), 1, 6.5, height, **rows)
    for key, panel in zip(keys, axes, strict=True):
        _draw_boxes(panel, settings, key, hues if key == keys[0] else {}, score)
    axes[-1].set(xlabel=score.label, xlim=style.window(settings["score"], score)[:2])
    entries = [
        style.handle("quartiles and range of all settings", color=NEUTRAL, linewidth=5, alpha=0.4),
        style.handle("the best setting with this value", color=NEUTRAL, **DOT),
        style.handle("best of all", **BEST),
    ]
    figure.legend(handles=entries, loc="outside upper center", ncols=3)
    return figure


def _draw_boxes(axes: Axes, settings: pd.DataFrame, key: str, hues: Colours, score: Score) -> None:
    beside, shown = axes.get_yaxis_transform(), style.window(settings["score"], score)
    values = style.in_order(settings[key])
    for position, text in enumerate(map(legible, values)):
        rows, colour = settings[settings[key].map(legible) == text], hues.get(text, NEUTRAL)
        reached, looks = rows["score"].dropna(), {"color": colour, "linewidth": 1}
        axes.boxplot(
            reached,
            positions=[position],
            orientation="horizontal",
            widths=0.55,
            whis=(0, 100),
            patch_artist=True,
            boxprops={"facecolor": colour, "alpha": 0.35, "linewidth": 0},
            medianprops=looks,
            whiskerprops=looks,
            capprops=looks,
        )
        best = score.best(reached)
        axes.plot(best, position, color=colour, **DOT)
        if best == score.best(settings["score"]):
            axes.plot(best, position, markersize=9, **BEST)
        if shown.misses(pd.Series(best)).all():
            looks = {"fontsize": 7, "va": "center", "ha": "left" if shown.sign > 0 else "right"}
            axes.text(shown.inset(0.01), position, "all beyond this edge", transform=beside, **looks)
        if lost := int((rows["runs"] - rows["completed"]).sum()):
            note = f"  {lost} of {int(rows['runs'].sum())} runs did not complete"
            axes.text(1, position, note, transform=beside, fontsize=7, va="center")
    axes.set_yticks(range(len(values)), [style.brief(value) for value in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.set_ylabel(style.brief(key, 24), rotation=0, ha="right", va="center")
    axes.grid(visible=False, axis="y")
