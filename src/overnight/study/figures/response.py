"""The score by the values of a hyperparameter: lines over a number, boxes over any values."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from overnight.study.design import is_number, legible
from overnight.study.evidence import Evidence
from overnight.study.figures import style
from overnight.study.figures.style import CHOSEN, MANY, NEUTRAL, Looks, Picture, Window

MOST_LINES = 10
MOST_TICKS = 12
WIDE = 20  # largest over smallest: from here on the axis is logarithmic
BEST: Looks = {"color": CHOSEN, "marker": "o", "markerfacecolor": "none", "linestyle": ""}
DOT: Looks = {"marker": "o", "linestyle": "", "markersize": 5}
SMALL: Looks = {"linestyle": "", "markersize": 4}
STOPPED: dict[str, Looks] = {"diverged": SMALL | {"marker": "x"}, "pruned": SMALL | {"marker": "+"}}


def responses(evidence: Evidence) -> Iterator[Picture]:
    """Show the score over each number, with a line for each value of the first scientific key."""
    first, metric = evidence.plan.scientific[:1], evidence.plan.score.metric
    few = len(style.hues_of(evidence)) <= MOST_LINES
    for key in responsive(evidence.settings, evidence.varied):
        hue = first[0] if few and first and first[0] != key else ""
        yield Picture(
            f"response_{key}",
            f"{metric} by {key}" + (f", for each {hue}" if hue else ""),
            "A mark is the mean of a setting over its replicates. The other settings differ, too."
            if is_drawn(evidence.settings[key])
            else "A line has the best means over the replicates, whatever the other settings; it leaves out "
            "those beyond the picture. Dots are single runs.",
            response(evidence, key, hue),
        )


def is_drawn(values: pd.Series) -> bool:
    """Tell whether a search drew the values: hardly any two settings share one, and a line would zigzag."""
    return values.nunique() > MOST_TICKS


def responsive(settings: pd.DataFrame, keys: Iterable[str]) -> list[str]:
    """Return those keys that are numbers with at least three values, the learning rate first."""
    values = {key: settings[key].dropna().unique() for key in keys}
    numeric = [key for key in values if len(values[key]) > 2 and all(map(is_number, values[key]))]  # noqa: PLR2004
    return sorted(numeric, key=lambda key: key != "lr")


def response(evidence: Evidence, key: str, hue: str) -> Figure:
    """Draw a line for each value of ``hue``, or one in grey if that is "".

    A line is the best over all that else was tuned, of the means over the replicates; dots are single runs.
    Values that a search drew have no line.
    A triangle at the edge stands for a run beyond it, a cross for one that diverged, a plus for one that was
    pruned. The ring marks the best of a line.
    """
    score, hues = evidence.plan.score, style.hues_of(evidence) if hue else {"": NEUTRAL}
    runs, settings = (table.assign(**{"": ""}) for table in (evidence.labelled, evidence.settings))
    values, shown = sorted(settings[key].dropna().unique()), style.window(runs["score"], score)
    figure, (axes,) = style.panels(1, 1, 6.5, 3.4)
    axes.set(xlabel=key, ylabel=score.label, ylim=(shown.low, shown.high))
    if values[0] > 0 and values[-1] > WIDE * values[0]:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_formatter("")
    end, triangle, word = (shown.low, "v", "below") if shown.sign > 0 else (shown.high, "^", "above")
    beyond = f"{word} {score.written(end, 2)}"
    marks_only: Looks = {"linestyle": ""} if is_drawn(settings[key]) else {}
    marks = {beyond: SMALL | {"marker": triangle}, **STOPPED}
    runs["status"] = runs["status"].mask(shown.misses(runs["score"]), beyond)
    for place, (text, looks) in enumerate(style.marked(hues).items()):
        shift = aside(place - (len(hues) - 1) / 2, values, axes.get_xscale())
        tried, tuned = (style.having(table, hue, text) for table in (runs, settings))
        axes.plot(shift(tried[key]), tried["score"], ".", color=looks["color"], markersize=4, alpha=0.5)
        for height, status in enumerate(marks):
            stopped = shift(tried.loc[tried["status"] == status, key])
            edge = 0.02 + 0.04 * height if shown.sign > 0 else 0.98 - 0.04 * height
            axes.plot(
                stopped, [edge] * len(stopped), **looks | marks[status], transform=axes.get_xaxis_transform()
            )
        best = score.ranked(tuned.dropna(subset="score")).drop_duplicates(key)
        axes.plot(shift(best[key].head(1)), best["score"].head(1), markersize=10, **BEST)
        line = best.sort_values(key)
        inside = line["score"].mask(shown.misses(line["score"]))  # a line to the edge would invent a slope
        axes.plot(shift(line[key]), inside, **looks | marks_only)
    if len(values) <= MOST_TICKS:
        axes.set_xticks(values, [style.brief(value) for value in values])
        axes.minorticks_off()
    ended = {status: marks[status] for status in marks if status in set(runs["status"])}
    named = {text: looks | marks_only for text, looks in style.marked(hues).items()}
    ring = "best of its colour" if marks_only else "best of the line"
    style.legend(figure, named | {ring: BEST} | ended, title=hue, **style.BESIDE)
    return figure


def aside(steps: float, values: list[Any], scale: str) -> Any:
    """Return a function that shifts a line a little sideways, so that no marks hide those of another."""
    low, high = values[0], values[-1]
    if scale == "log":
        return lambda x: x * (high / low) ** (0.012 * steps)
    return lambda x: x + 0.008 * (high - low) * steps


def effects(evidence: Evidence) -> Iterator[Picture]:
    """Show what each value of each hyperparameter does, over ten settings or more."""
    keys = style.drawable(evidence)
    if len(evidence.settings) >= MANY / 2 and len(keys) > 1:
        yield Picture(
            "effects",
            "Effect of each hyperparameter",
            "Each row has all settings of the study with one value. A bad box with a good dot means that the "
            "value works, but only if the other settings suit it.",
            _boxes(evidence, keys),
        )


def _boxes(evidence: Evidence, keys: list[str]) -> Figure:
    counts, score = [len(style.in_order(evidence.settings[key])) for key in keys], evidence.plan.score
    height = 0.7 / len(keys) + sum(0.35 + 0.24 * count for count in counts) / len(keys)
    rows = {"sharex": True, "height_ratios": [count + 0.6 for count in counts]}
    figure, axes = style.panels(len(keys), 1, 6.5, height, **rows)
    shown = style.window(evidence.settings["score"], score)
    axes[-1].set(xlabel=score.label, xlim=(shown.low, shown.high))
    for key, panel in zip(keys, axes, strict=True):
        _draw_boxes(panel, evidence, key, shown)
    box = {"linewidth": 5, "alpha": 0.4}
    best = {"the best setting with this value": DOT, "best of all": BEST}
    style.legend(figure, {"quartiles and range of all settings": box} | best)
    return figure


def _draw_boxes(axes: Axes, evidence: Evidence, key: str, shown: Window) -> None:
    settings, score = evidence.settings, evidence.plan.score
    hues = style.hues_of(evidence) if key in evidence.plan.scientific[:1] else {}
    values, beside = style.in_order(settings[key]), axes.get_yaxis_transform()
    for place, text in enumerate(map(legible, values)):
        rows, looks = style.having(settings, key, text), {"color": hues.get(text, NEUTRAL)}
        low, first, median, third, high = rows["score"].quantile([0, 0.25, 0.5, 0.75, 1])
        axes.plot([low, high], [place] * 2, linewidth=1, **looks)
        axes.plot([first, third], [place] * 2, linewidth=10, alpha=0.35, solid_capstyle="butt", **looks)
        axes.plot([low, median, high], [place] * 3, "|", **looks)
        best = score.best(rows["score"])
        axes.plot(best, place, **looks, **DOT)
        if best == score.best(settings["score"]):
            axes.plot(best, place, markersize=9, **BEST)
        lost, tried = int((rows["runs"] - rows["completed"]).sum()), int(rows["runs"].sum())
        notes = ["all beyond this range"] * bool(shown.misses(pd.Series(best)).all())
        notes += [f"{lost} of {tried} runs did not complete"] * bool(lost)
        axes.text(1, place, "  " + "; ".join(notes), transform=beside, fontsize=7, va="center")
    axes.set_yticks(range(len(values)), [style.brief(value) for value in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.set_ylabel(style.brief(key, 24), rotation=0, ha="right", va="center")
    axes.grid(visible=False, axis="y")
