"""Learning-rate schedules: how Lightning is to step them, and those that torch lacks."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from overnight.config.errors import ConfigError
from overnight.training.trust import buildable


@buildable
@dataclass(frozen=True)
class Schedule:
    """A learning-rate scheduler and how Lightning is to step it.

    Args:
        scheduler: makes the scheduler for an optimizer.
        interval: step it after every "epoch" or every "step".
        horizon: names of the scheduler's arguments that take the number of optimizer steps of the fit.
        monitor: the metric that a plateau scheduler watches; the others ignore it.
    """

    scheduler: Callable[..., Any]
    interval: str = "epoch"
    horizon: Sequence[str] = ()
    monitor: str = "val/loss"

    def configure(self, optimizer: Optimizer, steps: Callable[[], int]) -> dict[str, Any]:
        """Return Lightning's description of the scheduler."""
        lengths = {argument: steps() for argument in self.horizon}
        return {
            "scheduler": self.scheduler(optimizer, **lengths),
            "interval": self.interval,
            "monitor": self.monitor,
        }


def refuse_schedule(schedule: Schedule, optimizer: Optimizer) -> None:
    """Build the scheduler once, for a run of some length: a wrong setting is refused (ConfigError)."""
    try:
        schedule.configure(optimizer, lambda: 1000)
    except (KeyError, TypeError, ValueError) as error:
        given = getattr(schedule.scheduler, "keywords", {})
        raise ConfigError(
            f"scheduler: {error}. Given: {given}. Needed: what this scheduler takes. "
            f"Type for example: scheduler=cosine, and no scheduler.scheduler.KEY=VALUE"
        ) from error


class WarmupCosineLR(LRScheduler):
    """Rises linearly during the first steps, then falls to 0 along half a cosine.

    Args:
        optimizer: whose learning rates are the highest ones.
        total_steps: optimizer steps of the whole fit.
        warmup: share of the steps in which the rate rises; Goyal et al. 2017, arXiv:1706.02677.
    """

    def __init__(self, optimizer: Optimizer, total_steps: int, warmup: float) -> None:
        self.total_steps, self.warmup_steps = total_steps, int(warmup * total_steps)
        super().__init__(optimizer)

    def get_lr(self) -> list[float | Tensor]:
        """Return the rate of each parameter group."""
        return [self.factor(self.last_epoch) * rate for rate in self.base_lrs]

    def factor(self, step: int) -> float:
        """Return the share of the highest rate at a step, counted from 0."""
        if step < self.warmup_steps:
            return (step + 1) / (self.warmup_steps + 1)
        done = (step - self.warmup_steps) / (self.total_steps - self.warmup_steps)
        return (1 + math.cos(math.pi * min(done, 1))) / 2
