"""Sweeps that have not come to their end, whose report is of a part of them only."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from overnight.records import sweep_state


def unfinished(directories: Iterable[Path], runs: pd.DataFrame) -> Iterator[str]:
    """Say of each sweep at or below the directories how many of its planned runs are missing, if any.

    The plan has their number and not their names. A record counts if the sweep has met it since it began, or
    if the sweep's own command made it.
    """
    sweeps = {path.parent for directory in directories for path in directory.rglob(sweep_state.PLAN)}
    for sweep in sorted(sweeps):
        plan = sweep_state.read(sweep)
        here = runs[[Path(path).is_relative_to(sweep) for path in runs["path"]]]
        if plan and plan.total:
            met = here["name"].isin(sweep_state.ended(sweep)) | here["command"].eq(plan.command)
            missing = plan.total - met.sum()
            if missing > 0:
                are = "is" if missing == 1 else "are"
                yield f"{sweep} is not finished: of {plan.total} planned runs, {missing} {are} missing."
