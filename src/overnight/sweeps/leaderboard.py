"""What a person reads of a sweep on the terminal: the leaderboard, what failed, what won."""

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
from overnight.study.compare import leaderboard

SHOWN = 20  # rows of the leaderboard on the terminal; results.csv has all


def show(runs: pd.DataFrame, directory: Path, command: str) -> None:
    """Print the leaderboard, each failed run with its reason and its log, and the next commands."""
    console = Console() if sys.stdout.isatty() else Console(width=200)  # a file has no width of its own
    console.print(drawn(leaderboard(runs), title=str(directory)))
    words = "\n".join(last_words(directory, command, runs.to_dict("records")))
    console.print(words, soft_wrap=True, highlight=False, markup=False)


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


def last_words(directory: Path, command: str, runs: list[dict[Hashable, Any]]) -> list[str]:
    """Name the failed runs, the winner with its one test accuracy, and the next commands."""
    failed = [failure(run) for run in runs if run["status"] == "failed"]
    again = [f"again:   {command}"] if failed else []
    ranked = [run for run in runs if run["status"] == "completed"]
    best = [winner(max(ranked, key=lambda run: run["val/acc"]))] if ranked else []
    look = [f"report:  python report.py {directory}", f"curves:  tensorboard --logdir {directory}"]
    return [*failed, *again, *best, *look]


def failure(run: dict[Hashable, Any]) -> str:
    """Name a failed run, its reason in one line, and its log."""
    why = " ".join(str(run["error"]).split())
    return f"FAILED {run['name']}: {why} (log: {run['path']}/train.log)"


def winner(run: dict[Hashable, Any]) -> str:
    """Say what the best run by validation reaches on the test set."""
    return (
        f"best by val/acc: {run['name']}, test/acc {with_error(run['test/acc'], int(run['data.test']))}\n"
        f"measure: python eval.py ckpt_path={run['path']}/{run['checkpoint']}"
    )
