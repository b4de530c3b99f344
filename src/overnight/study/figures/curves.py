"""Learning curves: of the best arms, split by split; of many runs, by their quantiles."""

import textwrap
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from overnight.study.design import Design, legible
from overnight.study.figures.style import (
    CHOSEN,
    NEUTRAL,
    Colours,
    brief,
    briefly,
    floor,
    handle,
    hue_of,
    panels,
    tuned,
)

MOST = 6
WIDTH = 78  # characters that fit above all panels of a row
MOST_PANELS = 12
LINES = {"train": ":", "val": "-", "test": "--"}
CURVE = ["path", "epoch", "split", "acc", "loss"]  # not lr, which may be a setting in question
MEASURES = {"acc": "accuracy", "loss": "loss"}


def learning_curves(
    histories: pd.DataFrame, chosen: pd.DataFrame, plan: Design, hues: Colours, measure: str
) -> Figure:
    """Draw a measure by epoch for the best six arms, a panel for each; bands are the range of the runs.

    Args:
        histories: of ``frames.histories``.
        chosen: of ``arms.winners``: the runs of each arm's chosen setting, the best arm first.
        plan: of ``design``.
        hues: of the first scientific hyperparameter.
        measure: acc or loss.
    """
    shown = list(chosen["arm"].unique()[:MOST])
    curves = histories[CURVE].merge(chosen[["path", "arm", *plan.scientific, *plan.nuisance]], on="path")
    curves = curves[curves["arm"].isin(shown) & (curves["epoch"] > 0)]
    columns = 2 if len(shown) == 4 else 3  # noqa: PLR2004 - two rows of two
    figure, axes = panels(len(shown), columns, 6.5 / min(len(shown), columns), 2.3, sharey=True)
    for arm, panel in zip(shown, axes, strict=True):
        rows = curves[curves["arm"] == arm]
        first = rows.iloc[0]
        draw_splits(panel, rows, measure, hue_of(first, plan, hues))
        above = (briefly(first, plan.scientific), tuned(first, plan))
        width = WIDTH // min(len(shown), columns)
        panel.set_title("\n".join(line for text in above for line in textwrap.wrap(text, width)))
        panel.set_xlabel("epoch")
    axes[0].set_ylabel(MEASURES[measure])
    lowest, highest = limits(curves.loc[curves["split"] != "train", measure], measure)
    axes[0].set_ylim(lowest, highest)
    for panel in axes:
        if all(np.nanmax(line.get_ydata()) < lowest for line in panel.lines):
            panel.text(0.5, 0.05, f"all below {lowest:.2f}", transform=panel.transAxes, ha="center")
    entries = [handle(split, color=NEUTRAL, linestyle=line) for split, line in LINES.items()]
    figure.legend(handles=entries, loc="outside upper center", ncols=3)
    return figure


def limits(values: pd.Series, measure: str) -> tuple[float, float | None]:
    """Return the range of the vertical axis: a single bad epoch must not flatten all curves."""
    return (floor(values), None) if measure == "acc" else (0.0, 1.15 * float(values.quantile(0.98)))


def draw_splits(axes: Axes, rows: pd.DataFrame, measure: str, colour: Any) -> None:
    """Draw the mean over the runs, and the range of the validation results as a band."""
    for split, line in LINES.items():
        by_epoch = rows[rows["split"] == split].groupby("epoch")[measure]
        mean = by_epoch.mean()
        axes.plot(mean.index, mean, line, color=colour, linewidth=1.2)
        if split == "val":
            axes.fill_between(
                mean.index, by_epoch.min(), by_epoch.max(), color=colour, alpha=0.2, linewidth=0
            )
    axes.xaxis.set_major_locator(MaxNLocator("auto", integer=True))


def all_runs(histories: pd.DataFrame, runs: pd.DataFrame, plan: Design, hues: Colours) -> Figure:
    """Draw the validation accuracy of all runs by epoch: range, middle half, median, and the best run.

    Panels are the first twelve values of the first scientific hyperparameter. Runs that diverged have no
    curve; the title counts them.
    """
    key = plan.scientific[0]
    whole = runs.loc[runs["status"] == "completed", ["path", key]]
    curves = histories.loc[histories["split"] == "val", CURVE].merge(whole, on="path")
    shown = list(hues.items())[:MOST_PANELS]
    figure, axes = panels(len(shown), 4, 6.5 / min(len(shown), 4), 2.2, sharey=True)
    for (text, colour), panel in zip(shown, axes, strict=True):
        rows = curves[curves[key].map(legible) == text]
        tried = int((runs[key].map(legible) == text).sum())
        by_epoch = rows.groupby("epoch")["acc"]
        epochs = sorted(rows["epoch"].unique())
        panel.fill_between(epochs, by_epoch.min(), by_epoch.max(), color=colour, alpha=0.12, linewidth=0)
        panel.fill_between(
            epochs, by_epoch.quantile(0.25), by_epoch.quantile(0.75), color=colour, alpha=0.3, linewidth=0
        )
        panel.plot(epochs, by_epoch.median(), color=colour)
        best = rows[rows["path"].isin(rows.nlargest(1, "acc")["path"])]
        panel.plot(best["epoch"], best["acc"], "--", color=CHOSEN, linewidth=1)
        panel.set_title(f"{brief(text, WIDTH // 4)}\n{rows['path'].nunique()} of {tried} runs")
        panel.xaxis.set_major_locator(MaxNLocator("auto", integer=True))
        panel.set_xlabel("epoch")
    axes[0].set_ylabel("validation accuracy")
    return figure
