"""A study as the figures take it, and what is read off the artists of a figure."""

from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

import records
from overnight.study.design import design
from overnight.study.evidence import Evidence
from overnight.study.figures import curves
from overnight.study.figures.style import STYLE, Picture
from overnight.study.score import Score


def texts(figure: Figure) -> list[str]:
    """Return all texts in a figure, those of the axes and legends too."""
    return [text.get_text() for text in figure.findobj(mpl.text.Text)]


def lay_out(figure: Figure) -> None:
    """Do all of drawing but the pixels, which take most of the time; a warning on the way fails the test."""
    with mpl.rc_context(STYLE):
        figure.draw_without_rendering()


STUDY: dict[str, Any] = {"optimizer": ["sgd", "adam"], "lr": [1e-4, 0.001, 0.01, 0.1, 1.0], "seed": [0, 1, 2]}
BEST = {"sgd": 0.1, "adam": 0.01}


def reached(setting: dict[str, Any]) -> float | None:
    """Return 0.9 at the optimizer's best rate and 0.05 less for each step away; sgd diverges at 1."""
    if (setting["optimizer"], setting["lr"]) == ("sgd", 1.0):
        return None
    steps = abs(np.log10(setting["lr"]) - np.log10(BEST[setting["optimizer"]]))
    return float(0.9 - 0.05 * steps + 0.001 * setting["seed"])


def study(score: Score = records.ACCURACY) -> Evidence:
    """Return the runs of a study; where lower is better, all results have the opposite sign."""
    tried = records.grid(STUDY)
    found = [reached(setting) for setting in tried]
    return known(
        records.runs(tried, [None if value is None else score.sign * value for value in found], score)
    )


def known(runs: pd.DataFrame, scientific: tuple[str, ...] = ()) -> Evidence:
    """Return runs as the figures take them, with curves that end at what each run reached."""
    plan = design(runs, scientific)
    histories = pd.DataFrame(
        {
            "path": run["path"],
            "epoch": epoch,
            **{
                plan.score.on(split) or plan.score.metric: run[plan.score.metric] * epoch / 5
                for split in curves.LINES
            },
            **{f"{split}/other": 1.0 for split in curves.LINES},
        }
        for run in runs.dropna(subset=plan.score.metric).to_dict("records")
        for epoch in range(6)
    )
    return Evidence((), runs, runs[:0], histories, pd.DataFrame(), plan, guessed=False)


def drawn(pictures: Iterator[Picture]) -> list[Figure]:
    return [picture.figure for picture in pictures]
