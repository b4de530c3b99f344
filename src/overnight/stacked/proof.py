"""The proof that stacked training does what the ordinary way does, on real batches, for a kind of run."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from overnight.stacked.traces import Numbers, ordinary, stacked

Config = dict[str, Any]

EXACT = 1e-9
"""How far a number may be from the ordinary one's in float64, as a share of its tensor's largest element."""
LOGGED = 1e-6
"""The same of metrics, which Lightning keeps in float32."""


def prove(config: Config, directory: Path) -> None:
    """Compare the two ways for the kind of this run, in float64.

    ``overnight.stacked.check`` looks at every member and at the run's own precision when they are trained.

    Raises:
        ValueError: they differ; says in what.
    """
    (ours, metrics), (theirs, of_stacked) = (way(config, directory) for way in (ordinary, stacked))
    for number, (alone, together) in enumerate(zip(ours, theirs, strict=True), start=1):
        compare(alone, together, EXACT, f"after step {number}, ")
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
    finite = a.isfinite()
    if not torch.equal(finite, b.isfinite()):
        return False
    a, gap = a[finite], (a - b)[finite].abs()
    return not a.numel() or float(gap.max()) <= tolerance * max(float(a.abs().max()), nothing)
