"""The weights averaged over the steps of a training."""

from collections.abc import Sequence
from functools import partial

from lightning.pytorch.callbacks import WeightAveraging
from torch import Tensor


class EMA(WeightAveraging):
    """Lightning's WeightAveraging, exponential, with a short memory at the beginning.

    Validation sees the average, and checkpoints have it as their weights. Lightning's own
    ``EMAWeightAveraging`` has the full memory from the first step, and so remembers untrained weights.

    Args:
        decay: share of the average that a step keeps, at most.
    """

    def __init__(self, decay: float) -> None:
        super().__init__(multi_avg_fn=partial(average, decay))


def average(decay: float, averaged: Sequence[Tensor], current: Sequence[Tensor], updates: Tensor) -> None:
    """Move averages towards the current values, in place; counters, which are whole numbers, are copied.

    After n updates the average keeps min(decay, (1 + n) / (10 + n)) of itself.
    """
    n = int(updates)
    kept = min(decay, (1 + n) / (10 + n))
    for mean, value in zip(averaged, current, strict=True):
        mean.lerp_(value, 1 - kept) if mean.is_floating_point() else mean.copy_(value)
