"""Batches of samples in memory: an order for each epoch, and one indexing operation for each batch."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Samples(NamedTuple):
    """Features [n, ...] and targets [n, ...], of any dtype."""

    features: Tensor
    targets: Tensor

    def on(self, device: torch.device) -> "Samples":
        """Return them on a device, with numpy's double precision made single, and labels int64 or uint8."""
        features, targets = (each.float() if each.dtype is torch.float64 else each for each in self)
        numbers = targets.is_floating_point() or targets.dtype is torch.uint8
        return Samples(features.to(device), (targets if numbers else targets.long()).to(device))


class InOrder:
    """The order in which an epoch visits the samples: in every epoch the same."""

    def __init__(self, positions: Tensor) -> None:
        self._positions = positions

    def set_epoch(self, epoch: int) -> None:
        """Go to the order of this epoch; Lightning calls this before each epoch."""

    def __len__(self) -> int:
        """Return the number of samples."""
        return len(self._positions)

    def positions(self) -> Tensor:
        """Return the positions of the samples in their order, int64 [n]."""
        return self._positions


class Shuffled(InOrder):
    """A permutation that depends on the seed and the epoch alone.

    It has a generator of its own: nothing that validation, logging or dropout draw can change it.
    """

    def __init__(self, positions: Tensor, seed: int) -> None:
        super().__init__(positions)
        self._seed, self._epoch = seed, 0

    def set_epoch(self, epoch: int) -> None:
        """Go to the permutation of this epoch."""
        self._epoch = epoch

    def positions(self) -> Tensor:
        """Return the positions in the order of this epoch."""
        rng = np.random.default_rng([self._seed, self._epoch])
        return self._positions[torch.from_numpy(rng.permutation(len(self._positions)))]


class Batches:
    """An iterable of (features, targets) batches, each gathered with one indexing operation.

    ``sampler`` has the name under which Lightning looks for ``set_epoch``; it asks for ``batch_sampler`` too.
    """

    batch_sampler = None

    def __init__(self, samples: Samples, sampler: InOrder, batch_size: int) -> None:
        self.samples = samples
        self.sampler = sampler
        self.batch_size = batch_size

    def __len__(self) -> int:
        """Return the number of batches; the last one may be smaller."""
        return math.ceil(len(self.sampler) / self.batch_size)

    def __iter__(self) -> Iterator[Samples]:
        for positions in self.sampler.positions().to(self.samples.features.device).split(self.batch_size):
            yield Samples(*(tensor.index_select(0, positions) for tensor in self.samples))
