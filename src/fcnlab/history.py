"""What is measured in a run: the rows of its history, one an epoch, and what ends it."""

import logging
import math
from collections.abc import Iterable

from lightning.fabric.loggers.logger import Logger

log = logging.getLogger(__name__)

Row = dict[str, float | None]


class DivergedError(FloatingPointError):
    """The training loss is not finite."""


def check_loss(loss: float, epoch: int, step: int) -> None:
    """Refuse the training loss of a step if it is not finite; epochs and steps are counted from 1."""
    if not math.isfinite(loss):
        raise DivergedError(f"the training loss is {loss} in epoch {epoch}, step {step}")


def draw(row: Row, loggers: Iterable[Logger]) -> None:
    """Draw the metrics of an epoch in every logger, over the epochs."""
    drawn = curves(row)
    for logger in loggers:
        logger.log_metrics(drawn, step=int(row["epoch"] or 0))
    log.debug("epoch %d: %s", row["epoch"], "  ".join(f"{name} {value:.4g}" for name, value in drawn.items()))


def check_row(row: Row) -> None:
    """Refuse an epoch of which a metric is not finite.

    Raises:
        DivergedError: one of them is not.
    """
    for name, value in curves(row).items():
        if not math.isfinite(value):
            raise DivergedError(f"{name} is {value} after epoch {row['epoch']}")


def curves(row: Row) -> dict[str, float]:
    """Return what of a row is drawn over the epochs."""
    return {
        name: value for name, value in row.items() if value is not None and name not in {"epoch", "seconds"}
    }
