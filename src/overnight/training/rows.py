"""A row of the history: what was measured in an epoch, by the names that the module logs."""

import logging
import math
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from lightning.pytorch.loggers import Logger
from torch import Tensor

from overnight.records.metric import OWN

log = logging.getLogger(__name__)

Row = dict[str, float | None]


class DivergedError(FloatingPointError):
    """A loss or a metric is no longer finite."""


def plain_metrics(metrics: Mapping[str, Tensor]) -> Row:
    """Return metrics as numbers; those of float32 as the shortest number that means the same.

    What a module logs under a name of the history's own columns is left out: these have it already.
    """
    return {
        name: float(str(np.float32(value.item()))) if value.dtype == torch.float32 else value.item()
        for name, value in metrics.items()
        if name not in OWN
    }


def draw_row(row: Row, loggers: Iterable[Logger], already: set[str]) -> None:
    """Draw the metrics of an epoch over the epochs, in every logger; not those that Lightning has drawn."""
    drawn = {name: value for name, value in measured(row).items() if name not in already}
    for logger in loggers:
        logger.log_metrics(drawn, step=int(row["epoch"] or 0))
    listed = "  ".join(f"{name} {value:.4g}" for name, value in measured(row).items())
    log.debug("epoch %d: %s", row["epoch"], listed)


def measured(row: Row) -> dict[str, float]:
    """Return what was measured in an epoch, and its learning rate."""
    return {
        name: value for name, value in row.items() if value is not None and name not in {"epoch", "seconds"}
    }


def check_loss(loss: float, epoch: int, step: int) -> None:
    """Refuse the training loss of a step if it is not finite; epochs and steps are counted from 1."""
    if not math.isfinite(loss):
        raise DivergedError(f"the training loss is {loss} in epoch {epoch}, step {step}")


def check_row(rows: list[Row]) -> None:
    """Refuse the last row if a metric in it is not finite that was so before."""
    *earlier, last = rows
    for name, value in measured(last).items():
        was_finite = any(math.isfinite(old) for row in earlier if (old := row.get(name)) is not None)
        if not math.isfinite(value) and was_finite:
            raise DivergedError(f"{name} is {value} after epoch {last['epoch']}")


def whole_rows(rows: list[Row]) -> list[Row]:
    """Return the history with the same keys in every row: None where a metric was not measured."""
    names = dict.fromkeys(name for row in rows for name in row if name not in OWN)
    unmeasured: Row = {"epoch": None, **names, "lr": None, "seconds": None}
    return [unmeasured | row for row in rows]
