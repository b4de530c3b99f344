"""Targets as a net learns them: classes numbered from 0, or numbers."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

FEW = 100
"""So many different whole numbers are taken for classes whatever the number of samples."""
AS_NUMBERS = "To learn it as a number, type: loss=mse metrics=regression"


class Targets(NamedTuple):
    """Targets [n, ...]: int64 with the names of the classes, or float64 and ()."""

    values: Tensor
    class_names: tuple[str, ...]


def numbers(values: np.ndarray, name: str) -> Targets:
    """Return numbers [n] or, several for each sample, [n, k] in float64; ``name`` is theirs in messages.

    Raises:
        ValueError: they are none, or not finite, or all the same.
    """
    if values.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} holds texts such as {example(values)!r}, and a regression learns numbers. Needed: a "
            f"target of numbers; for classes, leave out loss=mse metrics=regression"
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds a number that is not finite. Needed: a finite target for each sample")
    if (values == values[:1]).all():
        raise ValueError(f"{name} is {values.flat[0]} everywhere. Needed: a target that varies")
    return Targets(torch.from_numpy(values.astype(np.float64)), ())


def classes(values: np.ndarray, name: str) -> Targets:
    """Number the classes in their order: texts by the alphabet, numbers by size.

    Raises:
        ValueError: they are numbers rather than classes, or a class has a single sample.
    """
    if values.ndim > 1:
        raise ValueError(
            f"{name} has the shape {values.shape}. Needed: one class for each sample, as in Python: "
            f"targets.argmax(1) of one-hot classes. {AS_NUMBERS}"
        )
    if values.dtype.kind == "f" and (missing := int(np.isnan(values).sum())):
        raise ValueError(f"{name} lacks {missing} of {len(values)}. Needed: a class for each sample")
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values == values.round()).all():
        values = values.astype(np.int64)
    labels, codes, sizes = np.unique(values, return_inverse=True, return_counts=True)
    countable = labels.dtype.kind in "biu"
    if labels.dtype.kind == "f" or (countable and len(labels) > max(FEW, len(values) / 10)):
        raise ValueError(
            f"{name} holds {len(labels)} different numbers, such as {example(values)}: these are no classes. "
            f"{AS_NUMBERS}"
        )
    if len(labels) == 1:
        raise ValueError(f"{name} is {labels[0]!s} everywhere. Needed: two classes or more")
    if not countable and len(labels) == len(values):
        raise ValueError(
            f"{name} has another text for each sample, such as {example(values)!r}. Needed: classes"
        )
    if len(rare := labels[sizes == 1]):
        raise ValueError(
            f"{name}: {listed(rare)} has a single sample, which cannot be both trained on and measured. "
            f"Needed: two or "
            f"more of each class; leave such samples out" + f". {AS_NUMBERS}" * countable
        )
    return Targets(torch.from_numpy(codes.astype(np.int64)), tuple(map(str, labels)))


def example(values: np.ndarray) -> object:
    """Return one of them as Python prints it."""
    return values.item(0)


def listed(names: np.ndarray, most: int = 3) -> str:
    """Name a few, and say how many others there are."""
    others = f" and {len(names) - most} others, each," if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + others


def refuse_untrained(trained: Tensor, names: tuple[str, ...], name: str) -> None:
    """Refuse classes of a training part [n] in which one of all is missing (ValueError)."""
    if names and not (sizes := trained.bincount(minlength=len(names))).all():
        missing = names[int(sizes.argmin())]
        raise ValueError(
            f"{name}: no sample of the class {missing} is in the training part. Needed: more of them, or "
            f"leave them out. Type for another split: data.split_seed=1, or a smaller data.val_size"
        )
