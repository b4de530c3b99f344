"""A sweep looked at from another terminal, while it runs or after it was interrupted."""

import sys
from collections import Counter
from pathlib import Path

import pandas as pd

from overnight.config import folders
from overnight.records import sweep_state
from overnight.records.lock import LOCK_FILE, is_abandoned, is_running, lock_holder
from overnight.records.record import RECORD_FILE, STATUSES
from overnight.study.frames import load, unreadable
from overnight.sweeps import leaderboard

EXAMPLE = "outputs/sweeps/optimizers"


def show(directory: Path | None) -> None:
    """Print how far the sweep is, the leaderboard so far, and how to go on; by default of the newest sweep.

    Raises:
        FileNotFoundError: there is no sweep.
    """
    directory = directory or newest()
    plan = sweep_state.read(directory)
    if plan is None:
        raise FileNotFoundError(
            f"{directory}: there is no sweep here. Needed: the folder of one, or its name. "
            f"Type for example: python status.py {EXAMPLE}"
        )
    ended = sweep_state.ended(directory)
    everything = load(directory)
    runs = everything[everything["name"].isin(ended)]  # without those whose record was deleted since
    sys.stdout.write("\n".join([*_progress(directory, plan, ended, runs), *_damaged(directory)]) + "\n")
    board = leaderboard.current(everything, directory)
    if not board.empty:
        leaderboard.show(board, directory, plan.command)
    if plan.total is None or len(runs) < plan.total:
        sys.stdout.write(f"to go on after an interruption:\n  {plan.command}\n")


def newest() -> Path:
    """Return the sweep that was begun last."""
    sweeps = Path(folders.outputs(), "sweeps")
    plans = sorted(sweeps.glob(f"*/{sweep_state.PLAN}"), key=lambda path: path.stat().st_mtime)
    return plans[-1].parent if plans else sweeps


def _progress(
    directory: Path, plan: sweep_state.Plan, ended: dict[str, str], runs: pd.DataFrame
) -> list[str]:
    statuses = Counter(runs["status"])
    claims = [path.parent for path in directory.glob(f"*/{LOCK_FILE}")]
    active = [path for path in claims if is_running(path)]
    left = plan.total - len(runs) - len(active) if plan.total else "?"
    time = sweep_state.time_left(plan, Counter(ended.values())) if active else ""
    shown = [status for status in STATUSES if status != "pruned" or statuses[status]]
    counts = ", ".join(f"{statuses[status]} {status}" for status in shown)
    return [
        f"{directory}: {counts}, {len(active)} running, {left} left of {plan.total or 'several'}{time}",
        *(f"running: {path.name} ({lock_holder(path)})" for path in active),
        *(f"cut off: {path.name}" for path in claims if is_abandoned(path)),
    ]


def _damaged(directory: Path) -> list[str]:
    records = unreadable(directory).to_dict("records")
    return [f"damaged: {record['path']}/{RECORD_FILE} ({record['reason']})" for record in records]
