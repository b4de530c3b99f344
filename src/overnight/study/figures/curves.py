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
from overnight.study.figures import style
from overnight.study.figures.style import Colours
from overnight.study.score import Score

MOST = 6
WIDTH = 78  # characters that fit above all panels of a row
MOST_PANELS = 12
LINES = {"train": ":", "val": "-", "test": "--"}
TYPICAL = 6  # times the median's distance from the best
USUAL = [0.02, 0.98]  # quantiles: a single bad epoch must not flatten all curves

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
    names = sorted(logged, key=lambda name: name != metric)
    split = {name: {counterpart(name, key): line for key, line in LINES.items()} for name in names}
    found = {
        name: {key: line for key, line in lines.items() if key in names}
        for name, lines in split.items()
        if len(lines) > 1
    }
    return found or {name: {name: "-"} for name in names}


def learning_curves(
    histories: pd.DataFrame, chosen: pd.DataFrame, plan: Design, hues: Colours, measure: str, lines: Lines
) -> Figure:
    """Draw a metric by epoch for the best six arms, a panel for each; bands are the range of the runs.

    ``histories`` is of ``frames.histories``, ``chosen`` of ``arms.winners``, ``lines`` of ``measures``.
    """
    shown = list(chosen["arm"].unique()[:MOST])
    curves = histories[["path", "epoch", *lines]].merge(chosen[["path", "arm"]], on="path")
    curves = curves[curves["arm"].isin(shown) & (curves["epoch"] > 0)]
    columns = min(len(shown), 2 if len(shown) == 4 else 3)  # noqa: PLR2004 - two rows of two
    figure, axes = style.panels(len(shown), columns, 6.5 / columns, 2.3, sharey=True)
    for arm, panel in zip(shown, axes, strict=True):
        first = chosen[chosen["arm"] == arm].iloc[0]
        _draw(panel, curves[curves["arm"] == arm], measure, lines, style.hue_of(first, plan, hues))
        above = (style.briefly(first, plan.scientific), style.tuned(first, plan))
        panel.set_title("\n".join(line for text in above for line in textwrap.wrap(text, WIDTH // columns)))
        _by_epoch(panel)
    axes[0].set_ylabel(plan.score.label if measure == plan.score.metric else measure)
    limit(axes, curves[[name for name in lines if lines[name] != LINES["train"]]], measure, plan.score)
    entries = [style.handle(name, color=style.NEUTRAL, linestyle=line) for name, line in lines.items()]
    figure.legend(handles=entries, loc="outside upper center", ncols=3)
    return figure


def _draw(axes: Axes, rows: pd.DataFrame, measure: str, lines: Lines, colour: Any) -> None:
    for name, line in lines.items():
        epochs = rows.dropna(subset=name).groupby("epoch")[name]
        mean = epochs.mean()
        axes.plot(mean.index, mean, line, color=colour, linewidth=1.2)
        if name == measure:
            axes.fill_between(mean.index, epochs.min(), epochs.max(), color=colour, alpha=0.2, linewidth=0)


def _by_epoch(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
    axes.set_xlabel("epoch")


def limit(axes: list[Axes], values: pd.DataFrame, measure: str, score: Score) -> None:
    """Set the range of the vertical axes, and say in a panel that all of its curves lie outside."""
    known = pd.Series(values.to_numpy().ravel()).dropna()
    if known.empty:
        return
    if measure == score.metric:
        low, high, _ = style.window(known, score, TYPICAL)
    else:
        low, high = style.widened(*known.quantile(USUAL))
    axes[0].set_ylim(low, high)
    for panel in axes:
        ends = [pd.Series(line.get_ydata()) for line in panel.lines]
        if not any(end.between(low, high).any() for end in ends):
            panel.text(0.5, 0.05, "all outside this range", transform=panel.transAxes, ha="center")


def all_runs(histories: pd.DataFrame, runs: pd.DataFrame, plan: Design, hues: Colours) -> Figure:
    """Draw the score of all runs by epoch: range, middle half, median, and the best run.

    Panels are the first twelve values of the first scientific hyperparameter. Runs that diverged have no
    curve; the title counts them.
    """
    score, texts = plan.score, runs[plan.scientific[0]].map(legible)
    whole = runs[["path"]].assign(text=texts)[runs["status"] == "completed"]
    curves = histories[["path", "epoch"]].assign(score=histories[score.metric]).dropna()
    curves = curves.merge(whole, on="path")
    shown = list(hues.items())[:MOST_PANELS]
    figure, axes = style.panels(len(shown), 4, 6.5 / min(len(shown), 4), 2.2, sharey=True)
    for (text, colour), panel in zip(shown, axes, strict=True):
        rows = curves[curves["text"] == text]
        reached, looks = rows.groupby("epoch")["score"], {"color": colour, "linewidth": 0}
        middle = reached.median()
        panel.fill_between(middle.index, reached.min(), reached.max(), alpha=0.12, **looks)
        panel.fill_between(middle.index, reached.quantile(0.25), reached.quantile(0.75), alpha=0.3, **looks)
        panel.plot(middle, color=colour)
        best = rows[rows["path"].isin(score.ranked(rows).head(1)["path"])]
        panel.plot(best["epoch"], best["score"], "--", color=style.CHOSEN, linewidth=1)
        tried = f"{rows['path'].nunique()} of {(texts == text).sum()} runs"
        panel.set_title(f"{style.brief(text, WIDTH // 4)}\n{tried}")
        _by_epoch(panel)
    axes[0].set_ylabel(score.label)
    if not score.share:
        axes[0].set_ylim(*style.window(curves["score"], score)[:2])
    return figure
