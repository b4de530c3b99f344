"""A sweep on the terminal: the leaderboard, the failed runs, the winner."""

import shlex
import sys
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from overnight.config.commands import tensorboard_command
from overnight.config.packages import eval_command, report_command
from overnight.records import sweep_state
from overnight.records.identity import is_cosmetic
from overnight.study.design import rounded, varying
from overnight.study.score import scores

SHOWN = 20  # rows of the leaderboard on the terminal; results.csv has all


def show(runs: pd.DataFrame, directory: Path, again: str) -> None:
    """Print the leaderboard, each failed run with its reason and its log, and the next commands."""
    width = None if sys.stdout.isatty() else 200  # a file has no width of its own
    console = Console(width=width, highlight=False, markup=False, emoji=False)  # names are no markup
    table = Table(box=box.SIMPLE_HEAD)
    board = leaderboard(runs)
    for column in board.columns:
        table.add_column(column, justify="right", no_wrap=True)
    for row in board.head(SHOWN).map(rounded).itertuples(index=False):
        table.add_row(*row)
    console.print(str(directory), soft_wrap=True)
    console.print(table)
    failed = runs[runs["status"] == "failed"].to_dict("records")
    words = [
        *map(_failure, failed),
        *([f"again:   {again}"] if failed else []),
        *winner(runs),
        f"report:  {report_command(directory, runs['path'].iloc[0])}",
        *(f"curves:  {shown}" for shown in tensorboard_command(directory)),
    ]
    console.print("\n".join(words), soft_wrap=True)


def current(runs: pd.DataFrame, directory: Path) -> pd.DataFrame:
    """Return the runs of a folder without what failed in an earlier sweep with other settings."""
    return runs[(runs["status"] != "failed") | runs["name"].isin(sweep_state.ended(directory))]


def leaderboard(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the completed runs by their metric, the best first, then the others; settings that differ only.

    The metric on the test set is not among the columns: it takes no part in a choice. Runs that were chosen
    by different metrics, or by none, keep their order.
    """
    score, *others = scores(runs)
    names = dict.fromkeys(name for each in (score, *others) for name in (each.metric, each.on("train")))
    known = [name for name in names if name in runs and runs[name].notna().any()]
    ranked = score.ranked(runs, str(score.metric)) if score.metric in known and not others else runs
    ranked = ranked.sort_values("status", key=lambda status: status != "completed", kind="stable")
    differ = [key for key in varying(runs) if not is_cosmetic(key)]  # such as task_name, if it was renamed
    columns = [*differ, *known, *["epoch"] * bool(known), "seconds", "status"]
    return ranked[columns].astype({"epoch": "float64"} if known else {}).reset_index(drop=True)


def winner(runs: pd.DataFrame) -> list[str]:
    """Name the best run, its test result, what is in doubt and how to measure it; [] without one metric."""
    score, *others = scores(runs)
    if others or score.metric not in runs:
        return []
    completed = runs[runs["status"] == "completed"].dropna(subset=score.metric)
    for run in score.ranked(completed, str(score.metric)).head(1).to_dict("records"):
        best = f"best by {score.metric}: {run['name'] if len(runs) > 1 else 'the only run'}"
        best = ", ".join(filter(None, [best, score.tested(run)]))
        if run["checked"] is not True:
            best += f"\nnot confirmed: {run['checked']}"
        saved = pd.notna(run["checkpoint"]) and Path(run["path"], run["checkpoint"]).is_file()
        return [best, f"measure: {eval_command(run['path'], run['checkpoint'])}"] if saved else [best]
    return []


def _failure(run: dict[Hashable, Any]) -> str:
    log = shlex.quote(f"{run['path']}/train.log")
    return f"FAILED {run['name']}: {' '.join(run['error'].split())} (log: {log})"
