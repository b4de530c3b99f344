"""Learning curves: of the best arms, split by split; of many runs, by their quantiles."""

import textwrap
from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from overnight.records.metric import counterpart
from overnight.study.design import Design, legible
from overnight.study.figures.style import (
    CHOSEN,
    NEUTRAL,
    Colours,
    Window,
    brief,
    briefly,
    handle,
    hue_of,
    panels,
    tuned,
    window,
)
from overnight.study.score import Score

MOST = 6
WIDTH = 78  # characters that fit above all panels of a row
MOST_PANELS = 12
LINES = {"train": ":", "val": "-", "test": "--"}
TYPICAL = 6  # times the median's distance from the best
USUAL = (0.02, 0.98)  # quantiles: a single bad epoch must not flatten all curves

Lines = dict[str, str]


def measures(logged: Iterable[str], metric: str | None) -> dict[str, Lines]:
    """Return what there are curves of: for each metric of validation the lines of its splits.

    Args:
        logged: the names of all metrics; those of no validation have curves of their own if there is nothing
            else.
        metric: it comes first.

    Returns:
        by the name of the metric, for each name that is drawn with it the style of its line.
    """
    names = list(logged)
    split = {name: {counterpart(name, key): line for key, line in LINES.items()} for name in names}
    found = {name: lines for name, lines in split.items() if len(lines) > 1}
    drawn = {name: lines | {name: "-"} for name, lines in found.items()} or {
        name: {name: "-"} for name in names
    }
    return {
        name: {key: line for key, line in drawn[name].items() if key in names}
        for name in sorted(drawn, key=lambda name: name != metric)
    }


def learning_curves(
    histories: pd.DataFrame, chosen: pd.DataFrame, plan: Design, hues: Colours, measure: str, lines: Lines
) -> Figure:
    """Draw a metric by epoch for the best six arms, a panel for each; bands are the range of the runs.

    Args:
        histories: of ``frames.histories``.
        chosen: of ``arms.winners``: the runs of each arm's chosen setting, the best arm first.
        plan: of ``design``.
        hues: of the first scientific hyperparameter.
        measure: the metric's name.
        lines: of ``measures``.
    """
    shown = list(chosen["arm"].unique()[:MOST])
    keys = ["path", "arm", *plan.scientific, *plan.nuisance]
    curves = histories[["path", "epoch", *lines]].merge(chosen[keys], on="path")  # not lr, which may be a key
    curves = curves[curves["arm"].isin(shown) & (curves["epoch"] > 0)]
    columns = 2 if len(shown) == 4 else 3  # noqa: PLR2004 - two rows of two
    figure, axes = panels(len(shown), columns, 6.5 / min(len(shown), columns), 2.3, sharey=True)
    for arm, panel in zip(shown, axes, strict=True):
        rows = curves[curves["arm"] == arm]
        first = chosen[chosen["arm"] == arm].iloc[0]
        draw(panel, rows, measure, lines, hue_of(first, plan, hues))
        above = (briefly(first, plan.scientific), tuned(first, plan))
        width = WIDTH // min(len(shown), columns)
        panel.set_title("\n".join(line for text in above for line in textwrap.wrap(text, width)))
        panel.set_xlabel("epoch")
    axes[0].set_ylabel(plan.score.label if measure == plan.score.metric else measure)
    limit(axes, curves[[name for name in lines if lines[name] != LINES["train"]]], measure, plan.score)
    entries = [handle(name, color=NEUTRAL, linestyle=line) for name, line in lines.items()]
    figure.legend(handles=entries, loc="outside upper center", ncols=3)
    return figure


def draw(axes: Axes, rows: pd.DataFrame, measure: str, lines: Lines, colour: Any) -> None:
    """Draw the means over the runs, and the range of the measure as a band."""
    for name, line in lines.items():
        by_epoch = rows.dropna(subset=name).groupby("epoch")[name]
        mean = by_epoch.mean()
        axes.plot(mean.index, mean, line, color=colour, linewidth=1.2)
        if name == measure:
            looks = {"color": colour, "alpha": 0.2, "linewidth": 0}
            axes.fill_between(mean.index, by_epoch.min(), by_epoch.max(), **looks)
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def limit(axes: list[Axes], values: pd.DataFrame, measure: str, score: Score) -> None:
    """Set the range of the vertical axes, and say in a panel that all of its curves lie outside."""
    known = pd.Series(values.to_numpy().ravel()).dropna()
    if known.empty:
        return
    low, high = (float(known.quantile(share)) for share in USUAL)
    margin = 0.1 * (high - low) or 0.01 * abs(high) or 0.01
    shown = (
        window(known, score, TYPICAL)
        if measure == score.metric
        else Window(low - margin, high + margin, score.sign)
    )
    axes[0].set_ylim(shown.low, shown.high)
    for panel in axes:
        ends = [pd.Series(line.get_ydata()) for line in panel.lines]
        if not any(end.between(shown.low, shown.high).any() for end in ends):
            panel.text(0.5, 0.05, "all outside this range", transform=panel.transAxes, ha="center")


def all_runs(histories: pd.DataFrame, runs: pd.DataFrame, plan: Design, hues: Colours) -> Figure:
    """Draw the score of all runs by epoch: range, middle half, median, and the best run.

    Panels are the first twelve values of the first scientific hyperparameter. Runs that diverged have no
    curve; the title counts them.
    """
    key, score = plan.scientific[0], plan.score
    whole = runs.loc[runs["status"] == "completed", ["path", key]]
    curves = (
        histories[["path", "epoch"]].assign(score=histories[score.metric]).dropna().merge(whole, on="path")
    )
    shown = list(hues.items())[:MOST_PANELS]
    figure, axes = panels(len(shown), 4, 6.5 / min(len(shown), 4), 2.2, sharey=True)
    for (text, colour), panel in zip(shown, axes, strict=True):
        rows = curves[curves[key].map(legible) == text]
        tried = int((runs[key].map(legible) == text).sum())
        by_epoch = rows.groupby("epoch")["score"]
        epochs = sorted(rows["epoch"].unique())
        looks = {"color": colour, "linewidth": 0}
        panel.fill_between(epochs, by_epoch.min(), by_epoch.max(), alpha=0.12, **looks)
        panel.fill_between(epochs, by_epoch.quantile(0.25), by_epoch.quantile(0.75), alpha=0.3, **looks)
        panel.plot(epochs, by_epoch.median(), color=colour)
        best = rows[rows["path"].isin(score.ranked(rows).head(1)["path"])]
        panel.plot(best["epoch"], best["score"], "--", color=CHOSEN, linewidth=1)
        panel.set_title(f"{brief(text, WIDTH // 4)}\n{rows['path'].nunique()} of {tried} runs")
        panel.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        panel.set_xlabel("epoch")
    axes[0].set_ylabel(score.label)
    if not score.share:
        axes[0].set_ylim(*window(curves["score"], score)[:2])
    return figure
