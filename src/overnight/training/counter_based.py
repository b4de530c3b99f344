"""Random numbers that are computed from a seed and counters, and not from the state of a generator.

A step that draws them draws the same whenever it is made: after an interruption, on any device, and in
stacked training, where each member has the numbers of its own seed.
"""

import math

import torch
from torch import Tensor, nn

GOLDEN = 0x9E3779B97F4A7C15
ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
LAST_SHIFT = 31
BITS = 24  # as many as a float32 holds


class CounterBasedUniform(nn.Module):
    """Draws uniform numbers as a counter-based generator (Salmon et al. 2011, doi:10.1145/2063384.2063405).

    The hash is that of SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195).

    Args:
        seed: a buffer and no plain number, so that stacked members with other seeds are of one kind.
    """

    key: Tensor

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.register_buffer("key", torch.tensor(signed(hashed(seed))), persistent=False)

    def forward(self, *counters: int, shape: tuple[int, ...]) -> Tensor:
        """Return numbers from 0 to below 1, float32 of this shape, that depend on seed and counters alone."""
        start = 0
        for counter in counters:
            start = hashed(start + counter)
        places = torch.arange(1, math.prod(shape) + 1, device=self.key.device)
        bits = self.key + signed(start) + places * signed(GOLDEN)
        for shift, factor in ROUNDS:
            bits = (bits ^ shifted(bits, shift)) * signed(factor)
        bits = bits ^ shifted(bits, LAST_SHIFT)
        return shifted(bits, 64 - BITS).to(torch.float32).mul(2.0**-BITS).view(shape)


def hashed(number: int) -> int:
    """Return the hash of a whole number, 0 to below 2**64; the same as that of the tensors above."""
    bits = (number + 1) * GOLDEN % 2**64
    for shift, factor in ROUNDS:
        bits = (bits ^ bits >> shift) * factor % 2**64
    return bits ^ bits >> LAST_SHIFT


def signed(number: int) -> int:
    """Return the int64 with the bits of a number below 2**64; torch multiplies modulo 2**64."""
    return number - 2**64 if number >= 2**63 else number


def shifted(bits: Tensor, places: int) -> Tensor:
    """Shift the bits of int64 to the right, zeros coming in; torch's own shift repeats the sign."""
    return (bits >> places) & ((1 << 64 - places) - 1)
