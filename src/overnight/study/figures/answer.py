"""The arms side by side: the answer of a study in one picture."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from overnight.study.design import Design
from overnight.study.figures import style
from overnight.study.figures.style import NEUTRAL, Colours, handle
from overnight.study.score import Score

MOST = 20
LAID_OUT = ["score low", "score", "score high", "test"]
WIDEST = 0.05  # of shares: of an arm that lies further from the best, only the number is shown
TEST: Any = {"marker": "D", "markerfacecolor": "none", "linestyle": "", "markersize": 5}


def answer(best: pd.DataFrame, chosen: pd.DataFrame, plan: Design, hues: Colours) -> Figure:
    """Draw each arm's score with its interval and its single runs, the best arm on top.

    ``best`` is of ``arms.arms`` (the first 20 are drawn), ``chosen`` of ``arms.winners``.
    """
    shown = best.dropna(subset="setting").head(MOST)
    figure, (axes,) = style.panels(1, 1, 6.5, 1.0 + 0.32 * len(shown))
    left, right = limits(shown, plan.score)
    beside = axes.get_yaxis_transform()
    for position, arm in enumerate(shown.to_dict("records")):
        text = plan.score.written(arm["score"], 1)
        if left <= arm["score"] <= right:
            _draw(axes, position, arm, chosen[chosen["arm"] == arm["arm"]], style.hue_of(arm, plan, hues))
        elif arm["score"] < left:
            axes.text(left, position, f" ◂ {text}", va="center", fontsize=8)
        else:
            axes.text(right, position, f"{text} ▸ ", va="center", ha="right", fontsize=8)
        note = "; ".join(filter(None, (style.tuned(arm, plan), f"n={arm['n']}")))
        axes.text(1.01, position, note, transform=beside, va="center", fontsize=7, color=NEUTRAL)
    texts = [style.briefly(arm, plan.scientific) for arm in shown.to_dict("records")]
    axes.set_yticks(range(len(shown)), texts)
    axes.set(xlim=(left, right), ylim=(len(shown) - 0.5, -0.5))
    axes.set(xlabel=plan.score.label, ylabel=style.brief(", ".join(plan.scientific), 60))
    axes.grid(visible=False, axis="y")
    entries = [
        handle("mean and 95 % interval", color=NEUTRAL, marker="o"),
        handle("each run", color=NEUTRAL, marker="|", linestyle="", markersize=7),
    ]
    if shown["test"].notna().any():
        entries += [handle(f"{plan.score.on('test')}, mean", color=NEUTRAL, **TEST)]
    figure.legend(handles=entries, loc="outside upper center", ncols=3)
    return figure


def limits(arms: pd.DataFrame, score: Score) -> tuple[float, float]:
    """Return the range in which the good arms lie, with their intervals and their results on the test set.

    An arm that is closer to the best than its interval is wide is among them.
    """
    behind = (arms["score"] - score.best(arms["score"])).abs()
    wide = float((arms["score high"] - arms["score low"]).fillna(0).iloc[0])
    reach = max(style.reach_of(arms["score"], score, WIDEST), wide)
    near = arms.loc[behind <= reach, LAID_OUT].to_numpy(float)
    return style.widened(float(np.nanmin(near)), float(np.nanmax(near)))


def _draw(axes: Axes, position: int, arm: dict[Any, Any], runs: pd.DataFrame, colour: str) -> None:
    axes.plot(runs["score"], [position] * len(runs), "|", color=colour, markersize=9, alpha=0.6)
    axes.plot([arm["score low"], arm["score high"]], [position] * 2, color=colour, linewidth=2)
    axes.plot(arm["score"], position, "o", color=colour, markersize=6)
    axes.plot(arm["test"], position, color=colour, **TEST)
