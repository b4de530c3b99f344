"""Arrays of one's own: a subclass says where its samples come from, and has all else from its base."""

import math
from typing import Any

import torch

from overnight.data.batches import Samples
from overnight.data.in_memory import InMemoryData, Source


class Spirals(InMemoryData):
    """Three intertwined spirals in the plane.

    Args:
        samples: for training and validation.
        noise: standard deviation of the angle, in radians.
        settings: of ``InMemoryData``.
    """

    class_names = ("first", "second", "third")

    def __init__(self, *, samples: int, noise: float, **settings: Any) -> None:
        super().__init__(**settings)
        self.samples, self.noise = samples, noise

    def read(self) -> Source:
        """Return the points of training and those of the test."""
        return Source(train=self.draw(self.samples, seed=0), test=self.draw(600, seed=1))

    def draw(self, samples: int, seed: int) -> Samples:
        """Return points [samples, 2] and the numbers of their spirals [samples]."""
        random = torch.Generator().manual_seed(seed)
        targets = torch.arange(samples) % 3
        radius = torch.rand(samples, generator=random)
        angle = 4 * radius + targets * 2 * math.pi / 3 + self.noise * torch.randn(samples, generator=random)
        return Samples(torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1), targets)
