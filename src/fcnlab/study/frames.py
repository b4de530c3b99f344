"""Records as DataFrames: the notebook's door."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from fcnlab import ledger


def load(directory: str | Path) -> pd.DataFrame:
    """Return one row for each recorded run at or below the directory.

    Columns: ``name path status error overrides parameters checkpoint seconds``, the group choices
    (``optimizer``, ``model``...), every setting under its dotted key (``lr``, ``data.batch_size``...), and
    ``epoch train/loss train/acc val/loss val/acc test/loss test/acc`` of the best checkpoint.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    if not Path(directory).is_dir():
        raise FileNotFoundError(f"{directory}: there is no such folder. Needed: a run's or a sweep's")
    found = ((path, ledger.read(path)) for path in ledger.find(Path(directory)))
    return pd.DataFrame([row(path, record) for path, record in found if record])


def row(path: Path, record: ledger.Record) -> dict[str, Any]:
    """Flatten one record."""
    choices = {group: listed(option) for group, option in record["choices"].items()}
    return {
        "name": record["name"],
        "path": str(path),
        "status": record["status"],
        "error": (record["error"] or {}).get("message"),
        "overrides": record["overrides"],
        "parameters": (record["model"] or {}).get("parameters"),
        "checkpoint": record["checkpoint"],
        "seconds": record["seconds"],
        **choices,
        **dict(settings(record["config"] or {})),
        **{f"data.{key}": value for key, value in (record["data"] or {}).items()},
        **(record["best"] or {}),
    }


def settings(config: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return every leaf of the configuration under its dotted key; ``task`` only repeats the others."""
    for key, value in config.items():
        if isinstance(value, dict) and f"{prefix}{key}" != "task":
            yield from settings(value, f"{prefix}{key}.")
        elif not isinstance(value, dict):
            yield f"{prefix}{key}", listed(value)


def listed(value: Any) -> Any:
    """Write a list as text, so that it can be compared and grouped by."""
    return "[" + ",".join(map(str, value)) + "]" if isinstance(value, list) else value
