"""Batches of images in memory: an order for each epoch, and one indexing operation for each batch."""

import math
from collections.abc import Iterator
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor


class Images(NamedTuple):
    """Images, float32 [n, 1, height, width], and their labels, int64 [n]."""

    pixels: Tensor
    labels: Tensor


class Order(Protocol):
    """The order in which an epoch visits the images; Lightning calls ``set_epoch`` before each epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Go to the order of this epoch."""

    def __len__(self) -> int:
        """Return the number of images."""

    def positions(self) -> Tensor:
        """Return the positions of the images, int64 [n]."""


class InOrder:
    """The same order in every epoch."""

    def __init__(self, positions: Tensor) -> None:
        self._positions = positions

    def set_epoch(self, epoch: int) -> None:
        """Change nothing."""

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._positions)

    def positions(self) -> Tensor:
        """Return the positions as they were given."""
        return self._positions


class Shuffled:
    """A permutation that depends on the seed and the epoch alone.

    It has a generator of its own: nothing that validation, logging or dropout draw can change it.
    """

    def __init__(self, positions: Tensor, seed: int) -> None:
        self._positions = positions
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Go to the permutation of this epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._positions)

    def positions(self) -> Tensor:
        """Return the positions in the order of this epoch."""
        rng = np.random.default_rng([self._seed, self._epoch])
        return self._positions[torch.from_numpy(rng.permutation(len(self._positions)))]


class Batches:
    """An iterable of (pixels, labels) batches, each gathered with one indexing operation.

    ``sampler`` has the name under which Lightning looks for ``set_epoch``; it asks for ``batch_sampler`` too.
    """

    batch_sampler = None

    def __init__(self, images: Images, sampler: Order, batch_size: int) -> None:
        self.images = images
        self.sampler = sampler
        self.batch_size = batch_size

    def __len__(self) -> int:
        """Return the number of batches; the last one may be smaller."""
        return math.ceil(len(self.sampler) / self.batch_size)

    def __iter__(self) -> Iterator[Images]:
        for positions in self.sampler.positions().to(self.images.pixels.device).split(self.batch_size):
            yield Images(*(tensor.index_select(0, positions) for tensor in self.images))
