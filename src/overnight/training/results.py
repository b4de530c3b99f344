"""What a record says of a fit: its history, its best and last weights, and whether these are what was seen."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L

from overnight.records.metric import better
from overnight.training.history import OWN, Row, whole_rows

Config = dict[str, Any]

CLOSE = 1e-5
"""How far the metric of the best weights, measured again, may be from what was seen in training."""


class Measured(NamedTuple):
    """A checkpoint measured again.

    Args:
        epoch: after which it was saved.
        metrics: on every split.
    """

    epoch: int
    metrics: Row


def results(
    config: Config,
    rows: list[Row],
    saved: dict[str, Path],
    measured: dict[Path, Measured],
    score: float | None,
) -> Config:
    """Return what a record says of the history, the best and the last weights.

    Args:
        config: of the run.
        rows: its history.
        saved: which checkpoints there are.
        measured: what these reach.
        score: what the checkpoint callback saw of the metric when it saved the best.
    """
    found = {name: measured[path] for name, path in saved.items()}
    metric, best_row = config["metric"], best_of(rows, config["metric"], config["mode"])
    best = found.get("best") or (
        best_row and Measured(int(best_row["epoch"] or 0), metrics_of(best_row, rows, metric))
    )
    last = found.get("last") or Measured(int(rows[-1]["epoch"] or 0), metrics_of(rows[-1], rows, metric))
    return {
        "metric": metric,
        "mode": config["mode"],
        "history": whole_rows(rows),
        "best": {"epoch": best.epoch, **best.metrics} if best else None,
        "last": {"epoch": last.epoch, **last.metrics},
        "checked": differences(metric, found.get("best"), rows, score) if metric else "metric=null: no best",
        "checkpoint": str(saved["best"]) if "best" in saved else None,
    }


def metrics_of(row: Row, rows: list[Row], metric: str | None) -> Row:
    """Return the metrics of validation in a row; those of training are means over its steps, of no weights."""
    of_weights = {*rows[0], metric}
    return {name: value if name in of_weights else None for name, value in row.items() if name not in OWN}


def best_of(rows: list[Row], metric: str | None, mode: str | None) -> Row | None:
    """Return the first row with the best value of the metric; None where no row has one."""
    best: Row | None = None
    for row in rows:
        value = row.get(metric or "")
        if value is not None and math.isfinite(value):
            known = best[metric or ""] if best else None
            best = row if known is None or better(mode, value, known) else best
    return best


def differences(metric: str, best: Measured | None, rows: list[Row], score: float | None) -> bool | str:
    """Return true if the best weights, measured again, are as good as was seen in training; else what differs."""
    if best is None:
        return "not measured again: no checkpoint of the best weights was saved"
    again = best.metrics.get(metric)
    if again is None:
        return f"not measured again: {metric} is not measured in validation"
    row = next((row for row in rows if row["epoch"] == best.epoch), {})
    seen = {"the history": row.get(metric), "the checkpoint callback": score}
    other = [
        f"{who} has {value}"
        for who, value in seen.items()
        if value is None or not math.isclose(value, again, rel_tol=CLOSE, abs_tol=CLOSE)
    ]
    return f"{metric} of the best weights is {again}, but {' and '.join(other)}" if other else True


def facts(task: L.LightningModule, data: L.LightningDataModule, rows: list[Row], seconds: float) -> Config:
    """Return what a record says of the module, the data and the speed.

    A foreign data module says nothing of its sizes; then there is no number of samples.
    """
    described = data.describe() if hasattr(data, "describe") else None
    samples = described["train"] * (len(rows) - 1) if described else None
    kind = type(getattr(task, "net", task))
    return {
        "model": {"class": f"{kind.__module__}.{kind.__qualname__}", "parameters": count_parameters(task)},
        "data": described,
        "seconds": seconds,
        "samples_per_second": samples / seconds if samples is not None else None,
    }


def count_parameters(task: L.LightningModule) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in task.parameters() if p.requires_grad)
