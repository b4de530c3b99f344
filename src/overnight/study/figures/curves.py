"""Learning curves: of the best arms, split by split; of many runs, by their quantiles."""

import re
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from overnight.records.metric import counterpart
from overnight.study.evidence import Evidence
from overnight.study.figures import style
from overnight.study.score import Score

MOST = 6  # arms
MOST_CURVES = 4  # metrics
MOST_PANELS = 12
WIDTH = 78  # characters that fit above all panels of a row
LINES = {"train": ":", "val": "-", "test": "--"}
TYPICAL = 6  # times the median's distance from the best
FAR = 3  # interquartile ranges: what is further out, as one bad epoch, must not flatten all curves

Lines = dict[str, str]


def measures(logged: Iterable[str], metric: str | None) -> dict[str, Lines]:
    """Return, for each metric of validation, the names that are drawn with it and the style of their lines.

    The metric that chose the best comes first. If nothing was validated, each name has curves of its own.
    """
    names = sorted(logged, key=lambda name: name != metric)
    found = {}
    for name in (name for name in names if counterpart(name, "test") != name):
        splits = {name if split == "val" else counterpart(name, split): LINES[split] for split in LINES}
        found[name] = {key: line for key, line in splits.items() if key in names}
    return found or {name: {name: "-"} for name in names}


def learning_curves(evidence: Evidence) -> Iterator[style.Picture]:
    """Show each metric by epoch for the best six arms; without a metric for the first six settings."""
    metric, chosen, what = evidence.plan.score.metric, evidence.winners, "arm"
    compared = f" ({', '.join(evidence.plan.scientific)})" if evidence.plan.scientific else ""
    tuned = " (the second line of the title)" * bool(evidence.plan.nuisance)
    told = f"Each arm{compared} has its best setting by {metric}{tuned}."
    if not metric:  # nothing was chosen
        told = f"Each panel is a setting of {', '.join(evidence.varied)}; at most {MOST} are drawn."
        plan, what = replace(evidence.plan, scientific=evidence.varied, nuisance=()), "setting"
        evidence = replace(evidence, plan=plan)
        chosen = evidence.labelled[evidence.runs["status"] == "completed"]
    which = f"the best {MOST} arms" if metric and chosen["arm"].nunique() > MOST else f"each {what}"
    measured = measures(evidence.logged, metric) if len(chosen) else {}
    for measure, lines in islice(measured.items(), MOST_CURVES):
        yield style.Picture(
            f"curves_{re.sub(r'[^A-Za-z0-9]+', '_', measure)}",
            f"Learning curves of {which}: {measure}",
            f"{told} Lines are means over the runs; the band is the range of {measure}. Curves of training "
            f"are means over the steps of an epoch, while the weights change.",
            _by_arm(evidence, chosen, measure, lines),
        )


def _by_arm(evidence: Evidence, chosen: pd.DataFrame, measure: str, lines: Lines) -> Figure:
    arms, score = chosen.drop_duplicates("arm").head(MOST).to_dict("records"), evidence.plan.score
    columns = min(len(arms), 2 if len(arms) == 4 else 3)  # noqa: PLR2004 - two rows of two
    figure, axes = style.panels(len(arms), columns, 6.5 / columns, 2.3, sharey=True)
    epochs = evidence.histories[evidence.histories["epoch"] > 0]
    curves = epochs[["path", "epoch", *lines]].merge(chosen[["path", "arm"]], on="path")
    for arm, panel in zip(arms, axes, strict=True):
        for name, line in lines.items():
            values = curves[curves["arm"] == arm["arm"]].dropna(subset=name).groupby("epoch")[name]
            looks = {"color": style.hue_of(evidence, arm)}
            panel.plot(values.mean(), line, linewidth=1.2, **looks)
            if name == measure:
                panel.fill_between(values.min().index, values.min(), values.max(), alpha=0.2, lw=0, **looks)
        above = (style.briefly(arm, evidence), style.tuned(arm, evidence))
        panel.set_title("\n".join(line for text in above for line in textwrap.wrap(text, WIDTH // columns)))
        _by_epoch(panel)
    axes[0].set_ylabel(score.label if measure == score.metric else measure)
    shown = curves[curves["arm"].isin([arm["arm"] for arm in arms])]
    seen = [name for name, line in lines.items() if measure != score.metric or line != LINES["train"]]
    limit(axes, shown[seen], measure, score)
    style.legend(figure, {name: {"linestyle": line} for name, line in lines.items()})
    return figure


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
        low, first, third, high = known.quantile([0, 0.25, 0.75, 1])
        far = FAR * (third - first) or high - low
        low, high = style.widened(max(low, first - far), min(high, third + far))
    axes[0].set_ylim(low, high)
    for panel in axes:
        if not any(pd.Series(line.get_ydata()).between(low, high).any() for line in panel.lines):
            panel.text(0.5, 0.05, "all outside this range", transform=panel.transAxes, ha="center")


def all_runs(evidence: Evidence) -> Iterator[style.Picture]:
    """Show the score of many runs by epoch, for the first twelve values of the first scientific key.

    Runs that diverged have no curve; the title of a panel counts them.
    """
    metric, first = evidence.plan.score.metric, evidence.plan.scientific[:1]
    if len(evidence.runs) >= style.MANY and first and metric in evidence.logged:
        yield style.Picture(
            "all_runs",
            f"{metric} of all runs, by {first[0]}",
            "The line is the median of the completed runs; the dark band is the middle half, the light one "
            "all of them. The dashed line is the best run.",
            _by_quantiles(evidence, first[0], evidence.plan.score),
        )


def _by_quantiles(evidence: Evidence, key: str, score: Score) -> Figure:
    shown = list(style.hues_of(evidence).items())[:MOST_PANELS]
    figure, axes = style.panels(len(shown), 4, 6.5 / min(len(shown), 4), 2.2, sharey=True)
    whole = evidence.runs.loc[evidence.runs["status"] == "completed", "path"]
    curves = evidence.histories[["path", "epoch"]].assign(score=evidence.histories[score.metric]).dropna()
    curves = curves[curves["path"].isin(whole)]
    for (text, colour), panel in zip(shown, axes, strict=True):
        runs = style.having(evidence.runs, key, text)
        rows = curves[curves["path"].isin(runs["path"])]
        low, first, middle, third, high = (
            rows.groupby("epoch")["score"].quantile(part) for part in (0, 0.25, 0.5, 0.75, 1)
        )
        panel.fill_between(middle.index, low, high, alpha=0.12, color=colour, linewidth=0)
        panel.fill_between(middle.index, first, third, alpha=0.3, color=colour, linewidth=0)
        panel.plot(middle, color=colour)
        best = rows[rows["path"].isin(score.ranked(rows).head(1)["path"])]
        panel.plot(best["epoch"], best["score"], "--", color=style.CHOSEN, linewidth=1)
        panel.set_title(f"{style.brief(text, WIDTH // 4)}\n{rows['path'].nunique()} of {len(runs)} runs")
        _by_epoch(panel)
    axes[0].set_ylabel(score.label)
    if not score.share:
        axes[0].set_ylim(*style.window(curves["score"], score)[:2])
    return figure
