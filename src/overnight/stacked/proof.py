"""The proof that stacked training does what the ordinary way does, on real batches, for a kind of run."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from overnight.stacked.batches import Drawn
from overnight.stacked.loop import StackedLoop
from overnight.stacked.steps import collecting_logs, named_outputs
from overnight.stacked.traces import Numbers, drop_nothing, gradients, ordinary, stacked

Config = dict[str, Any]

EXACT = 1e-9
"""How far a number may be from the ordinary one's in float64, as a share of its tensor's largest element."""
LOGGED = 1e-6
"""The same of metrics, which Lightning keeps in float32."""
FP32, BF16 = (1e-5, 1e-3), (2e-2, 0.2)
"""The same of a loss and of gradients in the run's own precision."""
SMALL = 1e-3
"""What counts as nothing there."""


def prove(config: Config, directory: Path) -> None:
    """Compare the two ways for the kind of this run, in float64.

    ``check_step`` looks at the run's own precision, and so at its kernels, when the group is trained.

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
            or not close(a.double(), b.double(), tolerance, nothing)
        ):
            raise ValueError(f"{when}{name} is not what the ordinary way gives")


def close(a: Tensor, b: Tensor, tolerance: float, nothing: float) -> bool:
    """Tell whether tensors differ by less than a share of their largest element; see ``compare``."""
    finite = a.isfinite()
    if not torch.equal(finite, b.isfinite()):
        return False
    a, gap = a[finite], (a - b)[finite].abs()
    return not a.numel() or float(gap.max()) <= tolerance * max(float(a.abs().max()), nothing)


def check_step(loop: StackedLoop, drawn: Drawn) -> None:
    """Compare loss and gradients of a step without dropout with what the first member's task gives by itself.

    Nothing is changed: both are done on copies.

    Raises:
        ValueError: they differ.
    """
    alone, steps, copied = loop.rehearsal([])
    drop_nothing(alone)
    drop_nothing(steps)
    with loop.precision(), collecting_logs(alone, {}, "training_step"):
        own = named_outputs(alone.training_step(drawn.of(0), 0))["loss"]
        together = steps.call(copied, "training_step", drawn, 0)["loss"]
    own.backward()
    together.sum().backward()
    halved = loop.members[0].trainer.precision == "bf16-mixed"
    of_loss, of_gradients = BF16 if halved else FP32
    when = "in the run's own precision, "
    compare({"loss": own.detach()}, {"loss": together[0].detach()}, of_loss, when)
    stacked = {f"gradient of {n}": t.grad[0] for n, t in copied.items() if t.grad is not None}
    compare(gradients(alone), stacked, of_gradients, when, SMALL)
