"""Records as DataFrames: the notebook's door."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from overnight.study.stored import Stored, found, read, records

METRICS = tuple(f"{split}/{name}" for split in ("train", "val", "test") for name in ("loss", "acc"))
TEXT = ("name", "path", "status", "error", "fingerprint", "command", "overrides", "checkpoint")
SIZES = ("data.train", "data.val", "data.test")
NUMBERS: dict[str, Any] = {
    **dict.fromkeys(("parameters", *SIZES, "epochs", "epoch"), "Int64"),
    **dict.fromkeys(("seconds", *METRICS), "float64"),
}
"""With TEXT the columns that are always there. Where a run lacks a number, the others stay numbers."""

HISTORY = ("name", "path", "epoch", "split", "loss", "acc", "lr", "seconds")


def load(directory: str | Path) -> pd.DataFrame:
    """Return one row for each recorded run at or below the directory; ``unreadable`` lists the others.

    Columns: ``name path status error fingerprint command overrides parameters checkpoint seconds``,
    ``epochs`` (trained), the group choices (``optimizer``, ``model``...), every setting under its dotted key
    (``lr``, ``data.batch_size``...), and ``epoch train/loss train/acc val/loss val/acc test/loss test/acc``
    of the best checkpoint. Numbers are numbers: NaN or <NA> where a run has none.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    rows = [row(path, record) for path, record in records(directory)]
    return pd.DataFrame(rows, columns=None if rows else [*TEXT, *NUMBERS]).astype(NUMBERS)


def histories(directory: str | Path) -> pd.DataFrame:
    """Return the curves of all runs: a row for each run, epoch and split that was measured.

    Columns: ``name path epoch split loss acc lr seconds``; ``path`` is the key that ``load`` shares. Epoch 0
    is before training; the figures on train are running means of the epoch, and so begin with epoch 1.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    epochs = [
        epoch.model_dump() | {"name": record.name, "path": str(path)}
        for path, record in records(directory)
        for epoch in record.history
    ]
    wide = pd.DataFrame(epochs).reindex(columns=["name", "path", "epoch", *METRICS, "lr", "seconds"])
    numbers = wide.astype({"epoch": "int64", **dict.fromkeys((*METRICS, "lr", "seconds"), "float64")})
    splits = [curve(numbers, split) for split in ("train", "val", "test")]
    return pd.concat(splits).sort_values(["path", "epoch"], kind="stable", ignore_index=True)


def unreadable(directory: str | Path) -> pd.DataFrame:
    """Return which run.json could not be read: half-written, damaged, or of another program.

    Columns: ``path`` (the folder), ``reason``.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    results = [(str(path), read(path)) for path in found(directory)]
    return pd.DataFrame([pair for pair in results if isinstance(pair[1], str)], columns=["path", "reason"])


def row(path: Path, record: Stored) -> dict[str, Any]:
    """Flatten one record. A setting with the name of a column that is always there does not replace it."""
    data = {f"data.{key}": value for key, value in record.data.model_dump().items()} if record.data else {}
    best = record.best.model_dump() if record.best else {}
    always = {
        "name": record.name,
        "path": str(path),
        "status": record.status,
        "error": record.error.message if record.error else None,
        "fingerprint": record.fingerprint,
        "command": record.command,
        "overrides": record.overrides,
        "parameters": record.model.parameters if record.model else None,
        "checkpoint": record.checkpoint,
        "seconds": record.seconds,
        "epochs": len(record.history[1:]),
    }
    measured = {key: best.get(key) for key in ("epoch", *METRICS)}
    chosen = settings(record.config) if record.config else typed(record.overrides)
    choices = {group: listed(option) for group, option in record.choices.items()}
    return always | dict(chosen) | choices | dict.fromkeys(SIZES) | data | measured | always


def settings(config: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Return every leaf of the configuration under its dotted key; ``task`` only repeats the others."""
    for key, value in config.items():
        if isinstance(value, dict) and f"{prefix}{key}" != "task":
            yield from settings(value, f"{prefix}{key}.")
        elif not isinstance(value, dict):
            yield f"{prefix}{key}", listed(value)


def typed(overrides: list[str]) -> Iterator[tuple[str, Any]]:
    """Return what was typed for a run whose configuration could not be composed, so that its arm is known."""
    for override in overrides:
        key, _, text = override.lstrip("+~").partition("=")
        yield key, number(text)


def number(text: str) -> float | str:
    """Return the number that the text is, or the text."""
    try:
        return float(text)
    except ValueError:
        return text


def listed(value: Any) -> Any:
    """Write a list as text, so that it can be compared and grouped by."""
    return "[" + ",".join(map(str, value)) + "]" if isinstance(value, list) else value


def curve(epochs: pd.DataFrame, split: str) -> pd.DataFrame:
    """Return the loss and accuracy of one split as rows of their own, where they were measured."""
    renamed = epochs.rename(columns={f"{split}/loss": "loss", f"{split}/acc": "acc"}).assign(split=split)
    return renamed[list(HISTORY)].dropna(subset=["loss", "acc"], how="all")
