"""What a record says of a fit: its history, its best and last weights, and whether they are what was seen."""

import math
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L

from overnight.records.metric import OWN, is_of_test, split_and_name
from overnight.training.optimizers import describe_optimizers, full_name
from overnight.training.rows import Row, whole_rows

Config = dict[str, Any]

CLOSE = 1e-5
"""How far the metric of the best weights, measured again, may be from what was seen in training: as a share
of it, or of the range that it had.
"""


UNSAVED = (
    "Needed: all that decides in the module's state_dict (a tensor by register_buffer, layers in a "
    "ModuleList), all of a metric by add_state; and nothing by current_epoch, which is 0 in an evaluation"
)
"""What is mostly wrong where the best weights, in a module built anew, are not as good as they were."""


class Measured(NamedTuple):
    """A checkpoint measured again: after which epoch it was saved, and its metrics on every split."""

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

    ``score`` is what the checkpoint callback saw of the metric when it saved the best.
    """
    metric = config["metric"]
    found = {name: complete(measured[path], rows, metric) for name, path in saved.items()}
    in_part = config["trainer"].get("fast_dev_run")
    best_row = None if in_part else best_of(rows, metric, config["mode"])
    best = found.get("best") or (best_row and of_history(best_row, rows, metric))
    last = found.get("last") or of_history(rows[-1], rows, metric)
    checked = (
        differences(metric, found.get("best"), rows, score, best_row) if best else without_best(metric, rows)
    )
    return {
        "metric": metric,
        "mode": config["mode"],
        "history": whole_rows(rows),
        "best": {"epoch": best.epoch, **best.metrics} if best else None,
        "last": {"epoch": last.epoch, **last.metrics},
        "checked": f"trainer.fast_dev_run={in_part}: only a part was measured" if in_part else checked,
        "checkpoint": str(saved["best"]) if "best" in saved else None,
    }


def complete(measured: Measured, rows: list[Row], metric: str | None) -> Measured:
    """Add what the history has of the metric, where it cannot be measured again; ``checked`` will say so."""
    row = row_of(measured.epoch, rows)
    return Measured(measured.epoch, ({metric: row.get(metric)} if metric else {}) | measured.metrics)


def row_of(epoch: int, rows: list[Row]) -> Row:
    """Return the row of an epoch, {} if there is none."""
    return next((row for row in rows if row["epoch"] == epoch), {})


def of_history(row: Row, rows: list[Row], metric: str | None) -> Measured:
    """Return what a row has of validation; metrics of training are means over its steps, of no weights."""
    of_weights = {*rows[0], metric}
    metrics = {name: value if name in of_weights else None for name, value in row.items() if name not in OWN}
    return Measured(int(row["epoch"] or 0), metrics)


def without_best(metric: str | None, rows: list[Row]) -> str:
    """Say why there is no best."""
    names = {name for row in rows for name in row if name not in OWN and not is_of_test(name)}
    logged = sorted(names, key=lambda name: (split_and_name(name)[0] != "val", name))
    if not logged:
        return "the task logs no metric"
    if metric:
        return f"{metric} was never measured as a finite number"
    return f"metric=null. To have one, type for example: metric={logged[0]} mode=max (or min)"


def best_of(rows: list[Row], metric: str | None, mode: str | None) -> Row | None:
    """Return the first row after training with the best value of the metric; None where no row has one."""
    best = min if mode == "min" else max
    trained = rows[1:] or rows
    finite = [row for row in trained if (value := row.get(metric or "")) is not None and math.isfinite(value)]
    return best(finite, key=lambda row: row[metric or ""] or 0.0, default=None)


def differences(
    metric: str, best: Measured | None, rows: list[Row], score: float | None, top: Row | None
) -> bool | str:
    """Return true if the best weights, measured again, are as good as the best row; else what differs."""
    if best is None:
        return "not measured again: no checkpoint of the best weights was saved"
    again, row = best.metrics[metric], row_of(best.epoch, rows)
    if metric not in rows[0]:
        return f"{metric} is of training, or of a callback; in epoch {best.epoch} it was {row.get(metric)}"
    if top and top[metric] != row.get(metric):
        return f"{metric} was better in epoch {top['epoch']}, {top[metric]}, whose weights were not kept"
    seen = {"the history": row.get(metric), "the checkpoint callback": score}
    known = [value for row in rows if (value := row.get(metric)) is not None and math.isfinite(value)]
    close = {"rel_tol": CLOSE, "abs_tol": CLOSE * (max(known, default=0) - min(known, default=0))}
    other = [
        f"{who} has {value}"
        for who, value in seen.items()
        if value is None or again is None or not math.isclose(value, again, **close)
    ]
    return f"{metric} of the best weights is {again}, but {' and '.join(other)}. {UNSAVED}" if other else True


def facts(
    task: L.LightningModule, data: L.LightningDataModule, seconds: float, samples: int | None
) -> Config:
    """Return what a record says of the module, its optimizers, the data and the speed.

    A foreign data module says nothing of its sizes; then nobody knows on how many samples the fit trained.
    """
    parameters = sum(p.numel() for p in task.parameters() if p.requires_grad)
    return {
        "model": {"class": full_name(type(getattr(task, "net", task))), "parameters": parameters},
        "optimizers": describe_optimizers(task.trainer.optimizers),
        "data": data.describe() if hasattr(data, "describe") else None,
        "seconds": seconds,
        "samples_per_second": samples / seconds if samples is not None else None,
    }
