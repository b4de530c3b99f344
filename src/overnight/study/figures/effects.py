"""The effect of each hyperparameter: the scores of all settings, and the best, for each of its values."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from overnight.study.design import legible
from overnight.study.figures.style import CHOSEN, NEUTRAL, Colours, brief, handle, in_order, panels, window
from overnight.study.score import Score

BEST: Any = {"marker": "o", "linestyle": "", "markersize": 5}
BEST_OF_ALL: Any = {"color": CHOSEN, "marker": "o", "linestyle": "", "markerfacecolor": "none"}


def effects(settings: pd.DataFrame, keys: tuple[str, ...], hues: Colours, score: Score) -> Figure:
    """Draw a row of boxes for each hyperparameter: quartiles and range over all settings with this value.

    The dot is the best setting with this value: what it reaches when all else is tuned for it.

    ``hues`` are of the first key.
    """
    counts = [len(in_order(settings[key])) for key in keys]
    height = 0.7 / len(keys) + sum(0.35 + 0.24 * count for count in counts) / len(keys)
    rows = {"sharex": True, "height_ratios": [count + 0.6 for count in counts]}
    figure, axes = panels(len(keys), 1, 6.5, height, **rows)
    for key, panel in zip(keys, axes, strict=True):
        draw(panel, settings, key, hues if key == keys[0] else {}, score)
    axes[-1].set(xlabel=score.label, xlim=window(settings["score"], score)[:2])
    entries = [
        handle("quartiles and range of all settings", color=NEUTRAL, linewidth=5, alpha=0.4),
        handle("the best setting with this value", color=NEUTRAL, **BEST),
        handle("best of all", **BEST_OF_ALL),
    ]
    figure.legend(handles=entries, loc="outside upper center", ncols=3)
    return figure


def draw(axes: Axes, settings: pd.DataFrame, key: str, hues: Colours, score: Score) -> None:
    """Draw the boxes of one hyperparameter, and how many runs of each value diverged."""
    beside, shown = axes.get_yaxis_transform(), window(settings["score"], score)
    values = in_order(settings[key])
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
        axes.plot(best, position, color=colour, **BEST)
        if best == score.best(settings["score"]):
            axes.plot(best, position, markersize=9, **BEST_OF_ALL)
        if shown.misses(pd.Series(best)).all():
            looks = {"fontsize": 7, "va": "center", "ha": "left" if shown.sign > 0 else "right"}
            axes.text(shown.inset(0.01), position, "all beyond this edge", transform=beside, **looks)
        if lost := int((rows["runs"] - rows["completed"]).sum()):
            note = f"  {lost} of {int(rows['runs'].sum())} runs diverged or failed"
            axes.text(1, position, note, transform=beside, fontsize=7, va="center")
    axes.set_yticks(range(len(values)), [brief(value) for value in values])
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.set_ylabel(brief(key, 24), rotation=0, ha="right", va="center")
    axes.grid(visible=False, axis="y")
