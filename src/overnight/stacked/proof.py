"""The proof that stacked training does what the ordinary way does, on real batches, once for each kind."""

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from overnight.stacked.gates import constants
from overnight.stacked.grouping import Run
from overnight.stacked.member import Member
from overnight.stacked.traces import Begun, Numbers, ordinary, stacked

Kind = tuple[object, ...]

PROVEN: dict[Kind, str] = {}
"""The kinds that were looked at in this process, each with what was found; "" where all was equal."""

EXACT = 1e-9
"""How far a number may be from the ordinary one's in float64, as a share of its tensor's largest element."""
LOGGED = 1e-6  # the same of metrics, which Lightning keeps in float32


def kind_of(member: Member) -> Kind:
    """Return what members must have in common: constants of the task, and the numbers of samples."""
    split = member.data.split
    return constants(member.task), len(split.train), len(split.val), len(member.data.test.targets)


def differences(runs: Mapping[Kind, Run]) -> dict[Kind, str]:
    """Say in what stacking runs of each kind differs from the ordinary way, "" if in nothing; look once.

    Kinds that are new are looked at together, which is quicker; if one of them differs, each by itself.
    """
    new = {kind: run for kind, run in runs.items() if kind not in PROVEN}
    found = difference([*new.values()]) if new else ""
    alone = found and len(new) > 1
    PROVEN.update({kind: difference([run]) if alone else found for kind, run in new.items()})
    return {kind: PROVEN[kind] for kind in runs}


def difference(runs: Sequence[Run]) -> str:
    """Say in what stacking these runs differs from the ordinary way, "" if in nothing."""
    try:
        prove([(run.judged.config, run.directory) for run in runs])
    except Exception as error:  # noqa: BLE001 - whatever it is, there is no proof
        known = isinstance(error, ValueError)
        return str(error) if known else f"its steps cannot be stacked ({error})"
    return ""


def choices_of(member: Member) -> Kind:
    """Return the classes of a run's optimizer and scheduler, with the flags that choose how they compute."""
    config = member.config
    return tuple(
        json.dumps(without_numbers(config["task"][key]))
        for key in ("optimizer", "schedule")
        if key in config["task"]
    )


def without_numbers(node: Any) -> Any:
    """Return a node without the settings that are numbers: these change no way of computing."""
    if isinstance(node, dict):
        return {key: without_numbers(value) for key, value in node.items() if not is_number(value)}
    return node


def is_number(value: Any) -> bool:
    """Tell whether a setting is a number, zero apart: a momentum of 0 is another optimizer."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value != 0


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
