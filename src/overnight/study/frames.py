"""Records as DataFrames: the notebook's door.

Of what is at or below a directory; a FileNotFoundError is raised if there is no such directory.
"""

from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from overnight.records.metric import SPLITS
from overnight.study.stored import Stored, read_all, records

COUNTS = ("parameters", *(f"{split} samples" for split in SPLITS), "epochs", "epoch")
NUMBERS: dict[str, Any] = dict.fromkeys(COUNTS, "Int64") | {"seconds": "float64"}
TEXT = ("name", "path", "status", "error", "fingerprint", "command", "overrides", "checkpoint", "sources")
ALWAYS = [*TEXT, "metric", "mode", "share", "checked", "samples", *NUMBERS]
"""The columns that are always there. Where a run lacks a number, it is missing."""

SETTING = " (setting)"
"""Behind the name of a setting that is a column of another kind, or a metric, too."""

HISTORY = ["name", "path", "epoch", "lr", "seconds"]


def load(directory: str | Path) -> pd.DataFrame:
    """Return one row for each recorded run; ``unreadable`` lists the others.

    Columns: ``name path status error fingerprint command overrides parameters checkpoint seconds``,
    ``epochs`` (trained), ``metric mode share`` (what chose the best epoch; whether it is a share of right
    answers), ``checked``, ``sources`` and ``samples`` (hashes of code and data), ``train samples``,
    ``val samples``, ``test samples``, the group choices (``optimizer``, ``model``...), every setting under
    its dotted key (``lr``, ``data.batch_size``...), and of the best checkpoint ``epoch`` and every metric
    under its name (``val/f1``...). Numbers are numbers: NaN or <NA> where a run has none. A setting whose
    name another column has is ``NAME (setting)``.
    """
    known = list(records(directory))
    measured = {name for _, record in known for name in _measures(record)}
    taken = measured.union(ALWAYS) - {"metric", "mode"}
    table = pd.DataFrame([row(*run, taken) for run in known], columns=None if known else ALWAYS)
    return table.astype(dict.fromkeys(measured.difference(ALWAYS), "float64") | NUMBERS)


def histories(directory: str | Path) -> pd.DataFrame:
    """Return the curves of all runs: a row for each run and epoch.

    Columns: ``name path epoch lr seconds``, and every metric under its name; ``path`` is the key that
    ``load`` shares. Epoch 0 is before training. A metric of training is the mean over the steps of its epoch.
    """
    epochs = [
        epoch.model_dump() | {"name": record.name, "path": path}
        for path, record in records(directory)
        for epoch in record.history
    ]
    table = pd.DataFrame(epochs)
    table = table.reindex(columns=[*HISTORY, *table.columns.difference(HISTORY, sort=False)])
    numbers = dict.fromkeys(table.columns.difference(["name", "path", "epoch"]), "float64")
    return table.astype({"epoch": "int64", **numbers})


def unreadable(directory: str | Path) -> pd.DataFrame:
    """Return which run.json could not be read: half-written, damaged, or of another program.

    Columns: ``path`` (the folder), ``reason``.
    """
    reasons = [(path, why) for path, why in read_all(directory).items() if isinstance(why, str)]
    return pd.DataFrame(reasons, columns=["path", "reason"])


def row(path: str, record: Stored, taken: Container[str]) -> dict[str, Any]:
    """Flatten one record, whose settings must not have these names."""
    config, data = record.config or {}, record.data
    always = dict.fromkeys(ALWAYS) | record.model_dump(include={*ALWAYS})
    always |= {
        "path": path,
        "error": record.error.message if record.error else None,
        "parameters": record.model.parameters if record.model else None,
        "epochs": len(record.history[1:]),
        "epoch": record.best.epoch if record.best else None,
        "metric": record.metric or config.get("metric"),
        "mode": record.mode or config.get("mode"),
        "share": bool(config.get("metric_share")),
        "samples": data.samples if data else None,
        "sources": " ".join(f"{name}={digest}" for name, digest in (record.sources or {}).items()),
        **{f"{split} samples": getattr(data, split, None) for split in SPLITS},
    }
    chosen = settings(config, record.interpolated or ()) if config else typed(record.overrides)
    choices = {group: listed(option) for group, option in record.choices.items()}
    own = {f"{key}{SETTING}" if key in taken else key: v for key, v in (dict(chosen) | choices).items()}
    return always | own | _measures(record) | always


def _measures(record: Stored) -> dict[str, float | None]:
    return (record.best.model_extra if record.best else None) or {}


def settings(
    config: dict[str, Any], repeated: Iterable[str] = (), prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Return every leaf of the resolved configuration under its dotted key.

    Left out are the keys that only repeat others, as a record lists them (``interpolated``).
    """
    for key, value in config.items():
        if f"{prefix}{key}" in repeated:
            continue
        if isinstance(value, dict):
            yield from settings(value, repeated, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", listed(value)


def typed(overrides: list[str]) -> dict[Any, Any]:
    """Return what was typed for a run whose configuration could not be composed, so that its arm is known."""
    texts = pd.Series(dict(text.lstrip("+~").partition("=")[::2] for text in overrides), dtype=object)
    numbers = pd.to_numeric(texts, errors="coerce")
    return numbers.astype(object).where(numbers.notna(), texts).to_dict()


def listed(value: Any) -> Any:
    """Write a list as text, so that it can be compared and grouped by."""
    return "[" + ",".join(map(str, value)) + "]" if isinstance(value, list) else value
