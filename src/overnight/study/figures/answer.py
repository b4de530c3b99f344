"""The arms side by side: the answer of a study in one picture."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from overnight.study.evidence import Evidence
from overnight.study.figures import style
from overnight.study.score import Score

MOST = 20
LAID_OUT = ["score low", "score", "score high", "test"]
WIDEST = 0.05  # of shares: of an arm that lies further from the best, only the number is shown
MEAN: style.Looks = {"marker": "o", "markersize": 6}
RUNS: style.Looks = {"marker": "|", "markersize": 9, "linestyle": "", "alpha": 0.6}
TEST: style.Looks = {"marker": "D", "markersize": 5, "markerfacecolor": "none", "linestyle": ""}


def answer(evidence: Evidence) -> Iterator[style.Picture]:
    """Show each arm's score with its interval and its single runs, the best arm on top."""
    best, score = evidence.arms.dropna(subset="setting"), evidence.plan.score
    if len(best) < 2:  # noqa: PLR2004 - one arm is no comparison
        return
    where = ", which stands on the right" * bool(evidence.plan.nuisance)
    told = [f"Each arm has its best setting by {score.label}{where}."]
    low, high = limits(best.head(MOST), score)
    if not best.head(MOST)["score"].between(low, high).all():
        told += ["Where an arm lies beyond the axis, its mean stands beside it."]
    if best["test"].notna().any():
        told += [f"{score.on('test')} took no part in the choice."]
    if evidence.sampling:
        told += [score.sampling_error(*evidence.sampling)]
    if len(best) > MOST:
        told += [f"The best {MOST} of {len(best)} arms are drawn."]
    title = f"{score.metric} by {' and '.join(evidence.plan.scientific)}"
    yield style.Picture("answer", title, " ".join(told), _drawn(evidence, best.head(MOST)))


def _drawn(evidence: Evidence, best: pd.DataFrame) -> Figure:
    score, arms = evidence.plan.score, best.to_dict("records")
    figure, (axes,) = style.panels(1, 1, 6.5, 1.0 + 0.32 * len(arms))
    axes.set(xlim=limits(best, score), ylim=(len(arms) - 0.5, -0.5), xlabel=score.label)
    axes.set_ylabel(style.brief(", ".join(evidence.plan.scientific), 60))
    axes.set_yticks(range(len(arms)), [style.briefly(arm, evidence) for arm in arms])
    axes.grid(visible=False, axis="y")
    for position, arm in enumerate(arms):
        _draw(axes, position, arm, evidence)
    tested = {f"{score.on('test')}, mean": TEST} if best["test"].notna().any() else {}
    style.legend(figure, {"mean and 95 % interval": MEAN, "each run": RUNS} | tested)
    return figure


def _draw(axes: Axes, position: int, arm: dict[Any, Any], evidence: Evidence) -> None:
    looks = {"color": style.hue_of(evidence, arm)}
    runs = evidence.winners.loc[evidence.winners["arm"] == arm["arm"], "score"]
    axes.plot(runs, [position] * len(runs), **looks, **RUNS)
    axes.plot([arm["score low"], arm["score high"]], [position] * 2, linewidth=2, **looks)
    axes.plot(arm["score"], position, **looks, **MEAN)
    axes.plot(arm["test"], position, **looks, **TEST)
    low, high = axes.get_xlim()
    beyond = "" if low <= arm["score"] <= high else f"mean {evidence.plan.score.written(arm['score'], 1)}"
    note = "; ".join(filter(None, (beyond, style.tuned(arm, evidence), f"n={arm['n']}")))
    beside = axes.get_yaxis_transform()
    axes.text(1.01, position, note, transform=beside, va="center", fontsize=7, **style.GREY)


def limits(arms: pd.DataFrame, score: Score) -> tuple[float, float]:
    """Return the range in which the good arms lie, with their intervals and their results on the test set.

    The best two are among them, and an arm that is closer to the best than its interval is wide.
    """
    behind = (arms["score"] - score.best(arms["score"])).abs()
    wide = (arms["score high"] - arms["score low"]).fillna(0).iloc[0]
    second = behind.nsmallest(2).max()
    near = arms.loc[behind <= max(style.reach_of(arms["score"], score, WIDEST), wide, second), LAID_OUT]
    return style.widened(near.min(axis=None), near.max(axis=None))
