"""The batches of many members: drawn once where all see the same samples, and for each where they do not."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from overnight.data.batches import Batches, Samples


class Drawn(NamedTuple):
    """One step's samples: features [batch, ...] and targets [batch, ...], as the loaders yield them.

    Members come first, [members, batch, ...], where each member has its ``own``.
    """

    samples: Samples
    own: bool

    def of(self, member: int) -> Samples:
        """Return what one member sees."""
        return Samples(*(tensor[member] for tensor in self.samples)) if self.own else self.samples


def cut(loaders: Sequence[Batches], size: int) -> Sequence[Tensor]:
    """Return the positions of each batch, of so many samples, in one pass over what the loaders hold.

    There is a loader for each member; their orders have the same length.
    """
    order = together([loader.sampler.positions() for loader in loaders])
    return torch.split(order, size, dim=-1)


def draw(samples: Sequence[Samples], cuts: Sequence[Tensor]) -> Iterator[Drawn]:
    """Yield the samples at these positions, batch by batch.

    Args:
        samples: of each member, in which its positions are positions; see ``share``.
        cuts: of each batch the positions, one order for all or one for each member.
    """
    first, *others = samples
    alike = all(other is first for other in others)
    for positions in cuts:
        here = positions.to(first.targets.device)
        if alike:
            flat = here.flatten()
            taken = [tensor.index_select(0, flat).unflatten(0, here.shape) for tensor in first]
        else:
            each = here.expand(len(samples), -1)
            parts = [[t.index_select(0, at) for t in own] for own, at in zip(samples, each, strict=True)]
            taken = [torch.stack(part) for part in zip(*parts, strict=True)]
        yield Drawn(Samples(*taken), own=taken[0].ndim > first.features.ndim)


def share(samples: Sequence[Samples]) -> list[Samples]:
    """Return samples of each member that are one object where they are equal.

    They differ where each was scaled by its own training part.
    """
    shared: list[Samples] = []
    for own in samples:
        equal = (known for known in shared if all(map(are_equal, known, own)))
        shared.append(next(equal, own))
    return shared


def are_equal(one: Tensor, other: Tensor) -> bool:
    """Tell whether tensors have the same elements; torch would read all of one and the same tensor."""
    return one is other or torch.equal(one, other)


def together(orders: Sequence[Tensor]) -> Tensor:
    """Return the one order [n] where all are the same, else all of them [members, n]."""
    first, *others = orders
    return first if all(torch.equal(first, other) for other in others) else torch.stack(list(orders))
