"""Made records: whole run.json files for what reads them, DataFrames of runs for what computes."""

from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from overnight.records.record import SCHEMA, Record, write_record

Settings = Mapping[str, Any]

HOSTILE = r"""lr=<b>1</b>&"'\textbf{x}_%$#~^,a=b; {{ 7 }} é 中"""
"""A name that means something to HTML, LaTeX, CSV and shells."""


def nested(dotted: Settings) -> dict[str, Any]:
    """Return {"a": {"b": 1}} for {"a.b": 1}."""
    config: dict[str, Any] = {}
    for key, value in dotted.items():
        *sections, last = key.split(".")
        node = config
        for section in sections:
            node = node.setdefault(section, {})
        node[last] = value
    return config


def record(
    settings: Settings, accuracy: float | None = 0.85, status: str = "completed", epochs: int = 2
) -> Record:
    """Return a record as a run writes it; of a failed run, one that failed before training."""
    curve = [row(epoch, (accuracy or 0.1) * (epoch + 1) / (epochs + 1)) for epoch in range(epochs + 1)]
    best = row(epochs, accuracy)
    trained = {
        "model": {"hidden_sizes": [256, 128], "parameters": 235146},
        "history": [
            curve[0] | {"train/loss": None, "train/acc": None, "lr": None, "seconds": None},
            *curve[1:],
        ],
        "best": {key: best[key] for key in best if key not in {"lr", "seconds"}},
        "checkpoint": "checkpoints/best.ckpt",
        "seconds": 10.0 * epochs,
        "data": {"train": 54000, "val": 6000, "test": 10000, "split": "ab", "folds": 1, "fold": 0},
    }
    untrained = dict.fromkeys(("model", "best", "checkpoint", "seconds", "data")) | {"history": []}
    groups = {key: value for key, value in settings.items() if key in {"optimizer", "model", "init"}}
    others = {key: value for key, value in settings.items() if key not in groups}
    return {
        "schema": SCHEMA,
        "name": ",".join(f"{key}={value}" for key, value in settings.items()),
        "status": status,
        "error": None if status == "completed" else {"type": "ValueError", "message": f"it {status}"},
        "fingerprint": "0123456789abcdef",
        "command": "python train.py -m",
        "overrides": [f"{key}={value}" for key, value in settings.items()],
        "choices": {"optimizer": "adam", "model": "fcn", "init": "torch_default"} | groups,
        "config": nested({"seed": 0, "lr": 0.001, "trainer.max_epochs": epochs} | others),
        "last": None,
        "samples_per_second": 1000.0,
        "environment": {"torch": "2.14", "device": "cpu"},
    } | (untrained if status == "failed" else trained)


def row(epoch: int, accuracy: float | None) -> dict[str, Any]:
    """Return an epoch of the history."""
    measured = {f"{split}/{name}": accuracy for split in ("train", "val", "test") for name in ("loss", "acc")}
    return {"epoch": epoch, **measured, "lr": 0.001, "seconds": 1.5}


def write(directory: Path, written: Record) -> Path:
    """Write the record into a folder of its own below the directory; return that."""
    folder = directory / str(len(list(directory.iterdir())) if directory.exists() else 0)
    folder.mkdir(parents=True)
    write_record(written, folder)
    return folder


def grid(values: Mapping[str, Iterable[Any]]) -> list[dict[str, Any]]:
    """Return every combination of the values."""
    return [dict(zip(values, combination, strict=True)) for combination in product(*values.values())]


def runs(settings: list[dict[str, Any]], accuracies: Iterable[float | None]) -> pd.DataFrame:
    """Return the runs that ``frames.load`` would read; an accuracy of None is that of a diverged run.

    A setting ``status`` is none, but how the run ended.
    """
    rows = [made(*pair) for pair in zip(settings, accuracies, strict=True)]
    return pd.DataFrame(rows)


def made(settings: dict[str, Any], accuracy: float | None) -> dict[str, Any]:
    """Return one run."""
    typed = {key: value for key, value in settings.items() if key != "status"}
    value = np.nan if accuracy is None else accuracy
    return {
        "name": ",".join(f"{key}={value}" for key, value in typed.items()),
        "status": "diverged" if accuracy is None else "completed",
        "overrides": [f"{key}={value}" for key, value in typed.items()],
        "epochs": 10,
        "seconds": 20.0,
        "trainer.max_epochs": 10,
        "data.train": 54000,
        "data.val": 6000,
        "data.test": 10000,
        "val/acc": value,
        "train/acc": value,
        "test/acc": value,
        **settings,
    }


OPTIMIZERS: dict[str, Any] = {"optimizer": ["sgd", "adam"], "lr": [0.01, 0.1, 1.0], "seed": [0, 1, 2]}


def tuned() -> pd.DataFrame:
    """Return a study in which adam at 0.01 reaches 0.90, sgd at 0.1 0.88; seeds add -0.01, 0, 0.01."""
    peaks = {("adam", 0.01): 0.90, ("sgd", 0.1): 0.88}
    tried = grid(OPTIMIZERS)
    return runs(tried, [peaks.get((s["optimizer"], s["lr"]), 0.8) + (s["seed"] - 1) / 100 for s in tried])


def replaced(runs: pd.DataFrame, status: str, **where: Any) -> pd.DataFrame:
    """Return the runs, of which those with these settings have diverged or failed."""
    struck = (runs[list(where)] == pd.Series(where)).all(axis=1)
    changed = runs.assign(status=runs["status"].mask(struck, status))
    return changed.assign(**{key: changed[key].mask(struck) for key in ("val/acc", "train/acc", "test/acc")})
