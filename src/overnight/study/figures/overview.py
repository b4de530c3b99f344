"""All runs at once: which hyperparameters matter, what the good runs share, what more runs would bring."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.path import Path

from overnight.study.design import legible
from overnight.study.effort import expected_best, importances
from overnight.study.evidence import Evidence
from overnight.study.figures import style
from overnight.study.figures.style import ACCENT, MANY, NEUTRAL, Picture, brief
from overnight.study.score import Score

BEST = 10
SPREAD = 0.36  # of the distance between two values: lines through the same value lie side by side
LEADING: Any = {"edgecolor": ACCENT, "linewidth": 1.4, "alpha": 0.9, "zorder": 3}
OTHER: Any = {"linewidth": 0.6, "alpha": 0.7, "zorder": 2, "rasterized": True}


def importance(evidence: Evidence) -> Iterator[Picture]:
    """Show ``effort.importances`` as bars, of many settings."""
    if len(evidence.settings) < MANY or len(style.drawable(evidence)) < 2:  # noqa: PLR2004 - one is all
        return
    ranked = importances(evidence.settings, evidence.varied, evidence.plan.score)[::-1]
    figure, (axes,) = style.panels(1, 1, 6.5, 0.7 + 0.28 * len(ranked))
    bars = axes.barh([brief(key) for key in ranked["key"]], ranked["importance"], color=NEUTRAL)
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.set(xlim=(0, 1), xlabel="share of the importance (PED-ANOVA)")
    axes.grid(visible=False, axis="y")
    yield Picture(
        "importance",
        "Importance of each hyperparameter",
        "It says how much each decides about being among the best fifth of all settings (PED-ANOVA, "
        "arXiv:2304.10255). Each is taken by itself: one that matters only with another has none.",
        figure,
    )


def parallel(evidence: Evidence) -> Iterator[Picture]:
    """Show each of many runs as a line through its values."""
    keys, score = style.drawable(evidence), evidence.plan.score
    if len(evidence.settings) >= MANY / 2 and len(evidence.runs) >= MANY and len(keys) > 1:
        yield Picture(
            "parallel",
            f"All runs, from their settings to {score.metric}",
            "Each line is a run; the best ends on top. Lines through the same value lie side by side.",
            _lines(score.ranked(evidence.labelled.dropna(subset="score"))[::-1], keys, score),
        )


def _lines(ranked: pd.DataFrame, keys: list[str], score: Score) -> Figure:
    best, reach = score.best(ranked["score"]), style.reach_of(ranked["score"], score)
    quality = (1 - (ranked["score"] - best).abs() / (reach or 1)).clip(0, 1)  # 0 for all that are far behind
    figure, (axes,) = style.panels(1, 1, 6.5, 3.6)
    for number, line in enumerate(zip(*(spread(ranked[key]) for key in keys), quality, strict=True)):
        shade = {"edgecolor": mpl.colormaps["Greys"](0.15 + 0.6 * line[-1])}
        looks = LEADING if number >= len(ranked) - BEST else OTHER | shade
        axes.add_patch(mpl.patches.PathPatch(smooth(line), facecolor="none", **looks))
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 1.5}
    for place, key in enumerate(keys):
        values = style.in_order(ranked[key])
        for number, value in enumerate(values):
            at = (place, (number + 0.5) / len(values))
            axes.text(*at, brief(value, 14), fontsize=8, ha="center", va="center", bbox=box, zorder=4)
    for height in (0, 0.25, 0.5, 0.75, 1):
        text = score.written(best - score.sign * (1 - height) * reach, 1)
        axes.text(len(keys) + 0.03, height, text, fontsize=8, va="center")
    axes.vlines(range(len(keys) + 1), -0.03, 1.03, color="0.6", linewidth=0.8)
    axes.set(yticks=[], xlim=(-0.3, len(keys) + 0.3), ylim=(-0.03, 1.03))
    axes.set_xticks(range(len(keys) + 1), [*(brief(key, 16) for key in keys), str(score.metric)])
    axes.tick_params(axis="x", length=0)
    axes.spines[:].set_visible(False)
    axes.grid(visible=False)
    entries = {f"the {min(BEST, len(ranked))} best runs": {"color": ACCENT}}
    style.legend(figure, entries | {"the others, darker the better": {"linewidth": 0.8}})
    return figure


def spread(values: pd.Series) -> pd.Series:
    """Return a height between 0 and 1 for each run: of its value, and its rank among those who share it."""
    texts = values.map(legible)
    places = {legible(value): place for place, value in enumerate(style.in_order(values))}
    groups = texts.groupby(texts)
    rank = (groups.cumcount() + 0.5) / groups.transform("size")
    return (texts.map(places) + SPREAD * (2 * rank - 1) + 0.5) / len(places)


def smooth(heights: tuple[float, ...]) -> Path:
    """Return a curve that runs level through each axis, so that the eye can follow it."""
    points = [(0.0, heights[0])]
    for place in range(1, len(heights)):
        points += [(place - 0.5, heights[place - 1]), (place - 0.5, heights[place]), (place, heights[place])]
    return Path(points, [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1))


def expected(evidence: Evidence) -> Iterator[Picture]:
    """Show ``effort.expected_best``, with a line for each value of the first scientific hyperparameter."""
    if evidence.settings.groupby("arm").size().max() < 3 or not evidence.plan.scientific:  # noqa: PLR2004
        return
    first, *others = evidence.plan.scientific
    plan = replace(evidence.plan, scientific=(first,), nuisance=(*others, *evidence.plan.nuisance))
    table, score = expected_best(evidence.runs, plan), plan.score
    figure, (axes,) = style.panels(1, 1, 6.5, 3.0)
    shown, lines = style.window(table["score"], score), []
    for text, colour in style.hues_of(evidence).items():
        rows = table[table["arm"] == f"{first}={text}"]
        if not shown.misses(rows["score"]).all():
            lines += axes.plot(rows["runs"], rows["score"], color=colour, label=brief(text))
    axes.set(ylim=(shown.low, shown.high), ylabel=f"expected best {score.label}")
    axes.set_xlabel("runs tried, drawn at random from those of the study")
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    figure.legend(handles=lines, loc="outside right upper")
    yield Picture(
        "expected_best",
        f"The gain of tuning: the expected best of k runs, for each {first}",
        f"The curves give the {score.metric} to expect of the best of k runs (arXiv:1909.03004, 2004.13705). "
        "An arm whose curve is flat early is easy to tune; the curve ends at its best run.",
        figure,
    )
