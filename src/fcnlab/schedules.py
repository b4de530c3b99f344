"""The learning-rate schedules that torch lacks."""

import math

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


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
