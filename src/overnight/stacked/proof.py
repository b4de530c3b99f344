"""The proof that stacked training does what the ordinary way does, on real batches, for a kind of run."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from overnight.stacked.traces import Begun, Numbers, ordinary, stacked

EXACT = 1e-9
"""How far a number may be from the ordinary one's in float64, as a share of its tensor's largest element."""
LOGGED = 1e-6  # the same of metrics, which Lightning keeps in float32


def prove(runs: Sequence[Begun]) -> None:
    """Compare the two ways for the kinds of these runs, in float64 (ValueError if they differ).

    All are stacked together. ``overnight.stacked.check`` looks at every member and at the run's own precision
    when they are trained.
    """
    alone = [ordinary(*run) for run in runs]
    for (ours, metrics), (theirs, of_stacked) in zip(alone, stacked(runs), strict=True):
        for number, (own, together) in enumerate(zip(ours, theirs, strict=True), start=1):
            compare(own, together, EXACT, f"after step {number}, ")
        compare(metrics, of_stacked, LOGGED, "after the validation, ")


def compare(ours: Numbers, theirs: Numbers, tolerance: float, when: str, nothing: float = 1e-5) -> None:
    """Compare numbers by name; none against a number is a difference.

    Args:
        ours: of the ordinary way.
        theirs: of stacked training.
        tolerance: as a share of the largest element of a tensor.
        when: for the message.
        nothing: if that is smaller than this, a share of this: the gradient of a bias before batch norm is 0
            but for rounding.

    Raises:
        ValueError: there is one.
    """
    for name in sorted(ours.keys() | theirs.keys()):
        a, b = ours.get(name), theirs.get(name)
        if (
            a is None
            or b is None
            or a.shape != b.shape
            or not close(a.detach().double(), b.detach().double(), tolerance, nothing)
        ):
            raise ValueError(f"{when}{name} is not what the ordinary way gives")


def close(a: Tensor, b: Tensor, tolerance: float, nothing: float) -> bool:
    """Tell whether tensors differ by less than a share of their largest element; see ``compare``."""
    if not a.numel():
        return True
    gap, largest = float((a - b).abs().max()), float(a.abs().max())
    if math.isfinite(gap):
        return gap <= tolerance * max(largest, nothing)
    finite = a.isfinite()
    known = torch.equal(finite, b.isfinite()) and not finite.all()  # or the gap itself is too large
    return known and close(a[finite], b[finite], tolerance, nothing)
