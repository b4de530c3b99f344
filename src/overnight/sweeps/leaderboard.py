"""A sweep on the terminal: the leaderboard, the failed runs, the winner."""

import math
import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from overnight.records.sampling import with_error
from overnight.study.design import varying
from overnight.study.score import Score, scores

SHOWN = 20  # rows of the leaderboard on the terminal; results.csv has all


def show(runs: pd.DataFrame, directory: Path, command: str) -> None:
    """Print the leaderboard, each failed run with its reason and its log, and the next commands."""
    console = Console() if sys.stdout.isatty() else Console(width=200)  # a file has no width of its own
    console.print(drawn(leaderboard(runs), title=str(directory)))
    words = "\n".join(last_words(directory, command, runs))
    console.print(words, soft_wrap=True, highlight=False, markup=False)


def leaderboard(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the completed runs by their metric, the best first, then the others; settings that differ only.

    The metric on the test set is not among the columns: it takes no part in a choice. Runs that were chosen
    by different metrics, or by none, keep their order.
    """
    found = scores(runs)
    names = dict.fromkeys(name for score in found for name in (score.metric, score.on("train")) if name)
    known = [name for name in names if name in runs and runs[name].notna().any()]
    if len(found) == 1 and found[0].metric in known:
        ranked = found[0].ranked(runs, str(found[0].metric))
    else:
        ranked = runs
    ranked = ranked.sort_values("status", key=lambda status: status != "completed", kind="stable")
    columns = [*varying(runs), *known, *["epoch"] * bool(known), "seconds", "status"]
    return ranked[columns].astype({"epoch": "float64"} if known else {}).reset_index(drop=True)


def drawn(board: pd.DataFrame, title: str) -> Table:
    """Draw the first rows of a leaderboard for the terminal."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in board.columns:
        table.add_column(column, justify="right", no_wrap=True)
    for row in board.head(SHOWN).itertuples(index=False):
        table.add_row(*(cell(value) for value in row))
    return table


def cell(value: Any) -> str:
    """Write a value as a person reads it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def last_words(directory: Path, command: str, runs: pd.DataFrame) -> list[str]:
    """Name the failed runs, the winner with its one result on the test set, and the next commands."""
    failed = [failure(run) for run in runs[runs["status"] == "failed"].to_dict("records")]
    again = [f"again:   {command}"] if failed else []
    look = [f"report:  python report.py {directory}", f"curves:  tensorboard --logdir {directory}"]
    return [*failed, *again, *winner(runs), *look]


def failure(run: dict[Hashable, Any]) -> str:
    """Name a failed run, its reason in one line, and its log."""
    why = " ".join(str(run["error"]).split())
    return f"FAILED {run['name']}: {why} (log: {run['path']}/train.log)"


def winner(runs: pd.DataFrame) -> list[str]:
    """Name the best run and its result on the test set; nothing without one metric that a run has."""
    score, *others = scores(runs)
    if others or score.metric is None or score.metric not in runs:
        return []
    ranked = score.ranked(runs[runs["status"] == "completed"].dropna(subset=score.metric), score.metric)
    return [line for run in ranked.head(1).to_dict("records") for line in write_winner(run, score)]


def write_winner(run: dict[Hashable, Any], score: Score) -> list[str]:
    """Write the winner's name, its result on the test set, and how to measure it again."""
    test, samples = run.get(score.on("test"), math.nan), run["test samples"]
    data = {"test": int(samples)} if pd.notna(samples) else None
    value = with_error(test, score.share, data) if score.share else f"{test:.4g}"
    reached = f", {score.on('test')} {value}" if pd.notna(test) else ""
    measure = f"measure: python eval.py ckpt_path={run['path']}/{run['checkpoint']}"
    best = f"best by {score.metric}: {run['name']}{reached}"
    return [best, measure] if pd.notna(run["checkpoint"]) else [best]
