"""Which values a checkpoint can hold, and in what form: numbers, texts, tensors, arrays, lists and dicts."""

from collections import deque
from types import NoneType
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

OF_MODULES = {*vars(L.LightningModule()), "_hparams_initial", "_hparams_name"}
"""Attributes in which torch and Lightning keep their own state."""

NUMPY = (np.ndarray, np.generic)
CONTAINERS = (dict, list, deque, set)


def kept_attributes(part: Any) -> dict[str, Any]:
    """Return the attributes of a module or another object that a checkpoint can hold.

    Not the state of torch, Lightning or a metric; nor tensors of torch's own modules: these are parameters.
    """
    own = {name: value for name, value in vars(part).items() if name not in OF_MODULES and can_be_kept(value)}
    if isinstance(part, Metric):
        return {n: v for n, v in own.items() if n[0] != "_" and not isinstance(v, (Tensor, *CONTAINERS))}
    if type(part).__module__.startswith("torch."):
        return {name: value for name, value in own.items() if is_plain(value)}
    return own


def can_be_kept(value: Any) -> bool:
    """Tell whether a value can be held; in the form of ``as_plain``."""
    if isinstance(value, NUMPY):
        return value.dtype.kind in "biuf"
    return is_plain(as_plain(value), tensors=True)


def is_plain(value: Any, *, tensors: bool = False) -> bool:
    """Tell whether a value consists of numbers, texts, lists and dicts alone, and of no subclass of them."""
    if type(value) is dict:
        return all(map(is_plain, value)) and is_plain([*value.values()], tensors=tensors)
    if type(value) in {list, tuple}:
        return all(is_plain(part, tensors=tensors) for part in value)
    known = type(value) in {NoneType, bool, int, float, str}
    return known or (tensors and type(value) is Tensor and not value.requires_grad)


def as_plain(value: Any) -> Any:
    """Return a set, a deque or what is a kind of dict or list as a plain one; all else as it is."""
    if not isinstance(value, CONTAINERS):
        return value
    return dict(value) if isinstance(value, dict) else [*value]


def is_filled(value: Any) -> bool:
    """Tell whether a value is a container of another class than dict and list, which is filled anew."""
    return isinstance(value, CONTAINERS) and type(value) not in {dict, list}


def fill(container: Any, values: Any) -> None:
    """Put other values into a container of any class."""
    container.clear()
    (container.update if isinstance(container, dict | set) else container.extend)(values)


def changed(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """Return the values that are others now, or new."""
    return {name: value for name, value in now.items() if not same(before.get(name, ...), value)}


def same(before: Any, now: Any) -> bool:
    """Tell whether values are equal, tensors and not-a-number among them too."""
    if type(before) is not type(now):
        return False
    if isinstance(now, Tensor):
        return before.dtype == now.dtype and torch.equal(before, now)
    if isinstance(now, NUMPY):
        return before.dtype == now.dtype and np.array_equal(before, now)
    if isinstance(now, dict):
        return same([*before.items()], [*now.items()])
    if isinstance(now, list | tuple):
        return len(before) == len(now) and all(map(same, before, now))
    return repr(before) == repr(now)
