"""Made records: whole run.json files for what reads them, DataFrames of runs for what computes."""

import hashlib
from collections.abc import Iterable, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from overnight.records.metric import counterpart
from overnight.records.record import SCHEMA, Record, write_record
from overnight.study.cautions import cautions
from overnight.study.design import design
from overnight.study.evidence import Evidence
from overnight.study.frames import HISTORY
from overnight.study.score import Score

Settings = Mapping[str, Any]

ACCURACY = Score("val/acc", "max", share=True)
F1, LOSS, R2 = Score("val/f1"), Score("val/loss", "min"), Score("val/r2")
"""Scores that are no shares of right answers; r2 may be negative."""

SIZES = {"train": 54000, "val": 6000, "test": 10000}

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
    settings: Settings,
    reached: float | None = 0.85,
    status: str = "completed",
    epochs: int = 2,
    score: Score = ACCURACY,
) -> Record:
    """Return a record as a run writes it; of a failed run, one that failed before training."""
    start = 0.1 if reached is None else reached
    curve = [row(epoch, start * (epoch + 1) / (epochs + 1), score) for epoch in range(epochs + 1)]
    of_training = [name for name in curve[0] if name.startswith("train")]
    best = row(epochs, reached, score)
    trained = {
        "metric": score.metric,
        "mode": score.mode,
        "model": {"class": "nets.Net", "parameters": 235146},
        "trained": "ordinary",
        "history": [curve[0] | dict.fromkeys((*of_training, "lr", "seconds")), *curve[1:]],
        "best": {key: best[key] for key in best if key not in {"lr", "seconds"}} if score.metric else None,
        "checked": True if score.metric else "metric=null: no best",
        "checkpoint": "checkpoints/best.ckpt",
        "seconds": 10.0 * epochs,
        "data": {**SIZES, "split": "ab", "folds": 1, "fold": 0},
    }
    untrained = dict.fromkeys((*trained, "last")) | {"history": []}
    groups = {key: value for key, value in settings.items() if key in {"optimizer", "model", "init"}}
    others = {key: value for key, value in settings.items() if key not in groups}
    chosen_by = {"metric": score.metric, "mode": score.mode, "metric_share": score.share}
    return {
        "schema": SCHEMA,
        "name": ",".join(f"{key}={value}" for key, value in settings.items()),
        "status": status,
        "error": None if status == "completed" else {"type": "ValueError", "message": f"it {status}"},
        "fingerprint": hashlib.sha256(repr(settings).encode()).hexdigest()[:16],
        "command": "python train.py -m",
        "overrides": [f"{key}={value}" for key, value in settings.items()],
        "choices": {"optimizer": "adam", "model": "fcn", "init": "torch_default"} | groups,
        "config": nested({"seed": 0, "lr": 0.001, "trainer.max_epochs": epochs} | others) | chosen_by,
        "interpolated": [],
        "last": None,
        "samples_per_second": 1000.0,
        "environment": {"torch": "2.14", "device": "cpu"},
    } | (untrained if status == "failed" else trained)


def row(epoch: int, value: float | None, score: Score = ACCURACY) -> dict[str, Any]:
    """Return an epoch of the history: the metric, and a loss, on each split."""
    names = {"val/loss": value} | ({score.metric: value} if score.metric else {})
    measured = {
        counterpart(name, split): each for name, each in names.items() for split in ("val", "train", "test")
    }
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


def runs(
    settings: list[dict[str, Any]], reached: Iterable[float | None], score: Score = ACCURACY
) -> pd.DataFrame:
    """Return the runs that ``frames.load`` would read; None is the result of a diverged run.

    A setting ``status`` is none, but how the run ended.
    """
    return pd.DataFrame([made(*pair, score) for pair in zip(settings, reached, strict=True)])


def made(settings: dict[str, Any], reached: float | None, score: Score) -> dict[str, Any]:
    """Return one run."""
    typed = {key: value for key, value in settings.items() if key != "status"}
    value = np.nan if reached is None else reached
    name = ",".join(f"{key}={value}" for key, value in typed.items())
    return {
        "name": name,
        "path": name,
        "fingerprint": name,
        "status": "diverged" if reached is None else "completed",
        "overrides": [f"{key}={value}" for key, value in typed.items()],
        "metric": score.metric,
        "mode": score.mode,
        "share": score.share,
        "checked": True,
        "sources": "mine.nets=aa mine.task=bb",
        "samples": "cc",
        "epochs": 10,
        "seconds": 20.0,
        "trainer.max_epochs": 10,
        **{f"{split} samples": size for split, size in SIZES.items()},
        **{counterpart(str(score.metric), split): value for split in ("val", "train", "test")},
        **settings,
    }


OPTIMIZERS: dict[str, Any] = {"optimizer": ["sgd", "adam"], "lr": [0.01, 0.1, 1.0], "seed": [0, 1, 2]}


def tuned(score: Score = ACCURACY) -> pd.DataFrame:
    """Return a study in which adam at 0.01 reaches 0.90, sgd at 0.1 0.88; seeds add -0.01, 0, 0.01.

    All others reach 0.8. Where lower is better, all have the opposite sign.
    """
    peaks = {("adam", 0.01): 0.90, ("sgd", 0.1): 0.88}
    tried = grid(OPTIMIZERS)
    reached = [peaks.get((s["optimizer"], s["lr"]), 0.8) + (s["seed"] - 1) / 100 for s in tried]
    return runs(tried, [score.sign * value for value in reached], score)


def replaced(runs: pd.DataFrame, status: str, **where: Any) -> pd.DataFrame:
    """Return the runs, of which those with these settings have diverged or failed."""
    struck = (runs[list(where)] == pd.Series(where)).all(axis=1)
    changed = runs.assign(status=runs["status"].mask(struck, status))
    names = [counterpart(runs["metric"].iloc[0], split) for split in ("val", "train", "test")]
    return changed.assign(**{name: changed[name].mask(struck) for name in names})


NO_CURVES = pd.DataFrame(columns=HISTORY)


def cautioned(runs: pd.DataFrame, *scientific: str, curves: pd.DataFrame = NO_CURVES) -> list[str]:
    """Return the cautions of a study with these runs, histories and this question."""
    plan = design(runs, scientific)
    return cautions(Evidence((), runs, runs[:0], curves, pd.DataFrame(), plan, guessed=False))
