"""Which attributes of a module are plain values, as a checkpoint may hold and a step may read them."""

from types import NoneType
from typing import Any

import lightning as L
import numpy as np
from torch import Tensor, nn
from torchmetrics import Metric

OF_MODULES = {*vars(L.LightningModule()), "_hparams", "_hparams_initial", "_hparams_name"}
"""Attributes in which torch and Lightning keep their own state."""

NUMPY = (np.ndarray, np.generic)


def plain_attributes(module: nn.Module) -> dict[str, Any]:
    """Return the plain values that a module itself keeps; not the state of torch, Lightning or a metric."""
    own = {name: value for name, value in vars(module).items() if name not in OF_MODULES and is_plain(value)}
    if isinstance(module, Metric):
        own = {n: v for n, v in own.items() if not n.startswith("_") and not isinstance(v, list | dict)}
    return own


def is_plain(value: Any, *, tensors: bool = False) -> bool:
    """Tell whether a value consists of numbers, texts, lists and dicts alone, and of no subclass of them."""
    if type(value) is dict:
        return all(map(is_plain, value)) and is_plain([*value.values()], tensors=tensors)
    if type(value) in {list, tuple}:
        return all(is_plain(part, tensors=tensors) for part in value)
    known = type(value) in {NoneType, bool, int, float, str}
    return known or (tensors and type(value) is Tensor and not value.requires_grad)


def can_be_kept(value: Any) -> bool:
    """Tell the same where tensors are allowed, or that it is a number or an array of numpy's."""
    return value.dtype.kind in "biuf" if isinstance(value, NUMPY) else is_plain(value, tensors=True)
