"""Which columns of the data matter to the winner: how much worse it is where one of them is permuted."""

import pandas as pd
from matplotlib.figure import Figure

from overnight.study.figures.style import ACCENT, NEUTRAL, Picture, brief, panels
from overnight.study.score import Score

REPEATS = 10
MOST = 20  # columns that are drawn
NAMED = 3  # columns that the caption names

Changes = dict[str, list[float]]
"""What each repetition adds to the metric, by column; nothing for a column that was left out."""


def picture(changes: Changes, score: Score, runs: int) -> Picture:
    """Show how much worse the metric is where a column is permuted; ``runs`` of the winner take turns."""
    table = losses(changes, score)
    sure = table[table["loss"] > table["error"]].head(NAMED)
    pairs = zip(sure.index, sure.to_numpy(), strict=True)
    named = ", ".join(f"{name} ({written(score, *numbers)})" for name, numbers in pairs)
    told = [
        f"The importance of a column is how much {score.metric} gets worse if its values are permuted.",
        f"The most important ones are {named}." if named else "No column has a bar above 0.",
    ]
    if len(table) < len(changes):
        told += [f"Of {len(changes):,} columns, only the {len(table)} that move the loss most were permuted."]
    if len(table) > MOST:
        told += [f"The {MOST} most important ones are drawn."]
    turns = f", and the winner's {runs} runs take turns" if runs > 1 else ""
    told += [
        f"Dots are means of {REPEATS} repetitions, and bars ± 2 standard deviations of one.",
        f"Each repetition has its own permutation and bootstrap sample of the validation samples{turns}.",
        "A column whose bar contains 0 may be useless. Correlated columns share their importance.",
    ]
    drawn = draw(table.head(MOST), score)
    return Picture("columns", "Which columns matter to the winner", " ".join(told), drawn)


def losses(changes: Changes, score: Score) -> pd.DataFrame:
    """Return ``loss error`` by column, the largest loss first: the mean, and two standard deviations."""
    worse = -score.sign * pd.DataFrame({name: numbers for name, numbers in changes.items() if numbers})
    table = pd.DataFrame({"loss": worse.mean(), "error": 2 * worse.std()})
    return table.sort_values("loss", ascending=False, kind="stable")


def written(score: Score, loss: float, error: float) -> str:
    """Write a loss with its error."""
    return f"{score.written(loss, 1)} ± {score.written(error, 1)}"


def draw(table: pd.DataFrame, score: Score) -> Figure:
    """Draw ``losses`` from the top down, each with its number on the right."""
    figure, (axes,) = panels(1, 1, 6.5, 0.8 + 0.24 * len(table))
    places = range(len(table))
    axes.errorbar(table["loss"], places, xerr=table["error"], fmt="o", color=NEUTRAL, markersize=5)
    axes.axvline(0, color=ACCENT, linewidth=1)
    for place, row in zip(places, table.to_numpy(), strict=True):
        axes.text(
            1.01, place, written(score, *row), transform=axes.get_yaxis_transform(), va="center", fontsize=7
        )
    axes.set_yticks(places, [brief(name) for name in table.index])
    axes.set_ylim(len(table) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"{'rise' if score.sign < 0 else 'fall'} of {score.metric} where the column is permuted")
    return figure
