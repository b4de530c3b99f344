"""Short sweeps with hydra/launcher=stacked, and their records."""

from pathlib import Path
from typing import Any

import pytest

from commands import SHORT
from overnight.records.record import Record, find_runs, read_record

SWEEP = ["-m", "hydra/launcher=stacked", *SHORT]
STACKED = [*SWEEP, "hydra.launcher.groups_at_a_time=1"]  # in the test's own process
SIX = ["optimizer=sgd,adam,rmsprop", "seed=0,1"]


def recorded(root: Path, name: str) -> dict[str, Record]:
    """Return the records of a sweep by what was typed for them."""
    found = [
        record for path in find_runs(root / "outputs" / "sweeps" / name) if (record := read_record(path))
    ]
    return {"".join(record["overrides"]): record for record in found}


def approximate(value: Any) -> Any:
    """Return a record whose floats compare to a tolerance."""
    if isinstance(value, dict):
        return {key: approximate(item) for key, item in value.items()}
    if isinstance(value, list):
        return [approximate(item) for item in value]
    return pytest.approx(value, rel=1e-4, abs=1e-6) if isinstance(value, float) else value
