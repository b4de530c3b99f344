"""The batches of many members: drawn once where all see the same samples, and for each where they do not."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from overnight.data.batches import Batches, Samples

Drawn = tuple[Tensor, Tensor]
"""Samples [batch, inputs] and targets [batch] for all; or [members, batch, inputs] and [members, batch]."""


def cut(loaders: Sequence[Batches], size: int) -> Sequence[Tensor]:
    """Go once through what the loaders hold, each in its own order; return the positions in each batch.

    Args:
        loaders: of each member; their orders have the same length.
        size: samples in a batch.
    """
    order = together([loader.sampler.positions() for loader in loaders])
    return torch.split(order, size, dim=-1)


def batches(samples: Samples, cuts: Sequence[Tensor]) -> Iterator[Drawn]:
    """Yield the samples and targets at these positions, batch by batch."""
    features, targets = samples.features.flatten(1), samples.targets
    for positions in cuts:
        here = positions.to(targets.device)
        flat = here.flatten()
        yield (
            features.index_select(0, flat).unflatten(0, here.shape),
            targets.index_select(0, flat).unflatten(0, here.shape),
        )


def together(orders: Sequence[Tensor]) -> Tensor:
    """Return the one order [n] where all are the same, else all of them [members, n]."""
    first, *others = orders
    return first if all(torch.equal(first, other) for other in others) else torch.stack(list(orders))
