"""A sweep looked at from another terminal, while it runs or after it was interrupted."""

import sys
from collections import Counter
from pathlib import Path

import pandas as pd

from fcnlab import board, claim, ledger, sweep
from fcnlab.study.frames import load

SWEEPS = Path("outputs", "sweeps")


def show(directory: Path | None) -> None:
    """Print how far the sweep is, the leaderboard so far, and how to go on; by default of the newest sweep.

    Raises:
        FileNotFoundError: there is no sweep.
    """
    directory = directory or newest()
    plan = sweep.read(directory)
    if plan is None:
        raise FileNotFoundError(
            f"{directory}: there is no sweep here. Needed: the folder of one, or its name. "
            f"Type for example: python status.py {SWEEPS}/optimizers"
        )
    ended = sweep.ended(directory)
    runs = load(directory)
    runs = runs[runs["name"].isin(ended)] if not runs.empty else runs
    sys.stdout.write("\n".join(progress(directory, plan, ended, runs)) + "\n")
    if not runs.empty:
        board.show(runs, directory, plan.command)
    sys.stdout.write(f"to go on after an interruption:\n  {plan.command}\n")


def newest() -> Path:
    """Return the sweep that was begun last."""
    plans = sorted(SWEEPS.glob(f"*/{sweep.PLAN}"), key=lambda path: path.stat().st_mtime)
    return plans[-1].parent if plans else SWEEPS


def progress(directory: Path, plan: sweep.Plan, ended: dict[str, str], runs: pd.DataFrame) -> list[str]:
    """Count what is done, failed, running and left; name what is running."""
    statuses = Counter(runs["status"]) if not runs.empty else Counter[str]()
    claims = [path.parent for path in directory.glob(f"*/{claim.FILENAME}")]
    active = [path for path in claims if claim.running(path)]
    left = plan.total - len(ended) - len(active) if plan.total else "?"
    time = sweep.time_left(plan, Counter(ended.values())) if active else ""
    counts = ", ".join(f"{statuses[status]} {status}" for status in ledger.STATUSES)
    return [
        f"{directory}: {counts}, {len(active)} running, {left} left of {plan.total or 'several'}{time}",
        *(f"running: {path.name} ({claim.holder(path)})" for path in active),
        *(f"cut off: {path.name}" for path in claims if claim.abandoned(path)),
    ]
