"""Which values a checkpoint can hold, and in what form: numbers, texts, tensors, arrays, lists and dicts."""

from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from types import NoneType
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torchmetrics import Metric

OF_MODULES = {*vars(L.LightningModule()), "_hparams_initial", "_hparams_name"}
"""Attributes in which torch and Lightning keep their own state."""

ATOMS = {NoneType, bool, int, float, str}
CONTAINERS = (dict, list, deque, set)
LARGEST, OF_A_TENSOR = 100_000, 100
"""Parts of a value that is kept, and how many of them a tensor is worth: to load three million takes 13 s."""


def kept_attributes(part: Any) -> dict[str, Any]:
    """Return the attributes of a module or another object that a checkpoint can hold.

    Not the state of torch and Lightning, of a metric only its counters; nor tensors of torch's own modules:
    these are parameters.
    """
    own = {name: value for name, value in vars(part).items() if name not in OF_MODULES and can_be_kept(value)}
    if isinstance(part, Metric):
        own = {name: value for name, value in own.items() if name not in part.metric_state}
        return {n: v for n, v in own.items() if n[0] != "_" or type(v) in {bool, int, float}}
    if type(part).__module__.startswith("torch."):
        return {name: value for name, value in own.items() if is_plain(value)}
    return own


def can_be_kept(value: Any) -> bool:
    """Tell whether a value can be held; in the form of ``as_plain``."""
    if is_array(value):
        return value.dtype.kind in "biuf" and value.dtype.isnative and value.dtype.itemsize <= 8  # noqa: PLR2004
    try:
        kept = is_plain(as_plain(value), tensors=True)
    except RecursionError:  # it holds itself
        return False
    return kept and size_of(value) <= LARGEST


def is_array(value: Any) -> bool:
    """Tell whether a value is an array or a number of numpy's; a masked array is more than that."""
    return type(value) is np.ndarray or isinstance(value, np.generic)


def is_plain(value: Any, *, tensors: bool = False) -> bool:
    """Tell whether a value consists of numbers, texts, lists and dicts alone, and of no subclass of them."""
    if type(value) is dict:
        return is_plain([*value]) and is_plain([*value.values()], tensors=tensors)
    if type(value) in {list, tuple}:
        return {*map(type, value)} <= ATOMS or all(is_plain(part, tensors=tensors) for part in value)
    return type(value) in ATOMS or (tensors and type(value) is Tensor and is_simple(value))


def is_simple(tensor: Tensor) -> bool:
    """Tell whether a tensor is a block of numbers that is not learned: no sparse, nested or empty one."""
    strided = tensor.layout == torch.strided and not tensor.is_nested
    return strided and not (tensor.requires_grad or tensor.is_meta or tensor.is_quantized)


def size_of(value: Any) -> int:
    """Return of how many parts a value consists, at any depth of lists and dicts."""
    if not isinstance(value, (*CONTAINERS, tuple)):
        return OF_A_TENSOR if isinstance(value, Tensor) else 1
    parts: Iterable[Any] = value.values() if isinstance(value, dict) else value
    return len(value) if {*map(type, parts)} <= ATOMS else sum(map(size_of, parts))


def tensors_in(value: Any) -> Iterator[Tensor]:
    """Yield the tensors in a value, at any depth of lists and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (*CONTAINERS, tuple)):
        parts: Iterable[Any] = value.values() if isinstance(value, dict) else value
        if not {*map(type, parts)} <= ATOMS:
            yield from chain.from_iterable(map(tensors_in, parts))


def as_plain(value: Any) -> Any:
    """Return a set, a deque or what is a kind of dict or list as a plain one; all else as it is."""
    if not is_filled(value):
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
    if is_array(now):
        return before.dtype == now.dtype and np.array_equal(before, now)
    if isinstance(now, dict):
        return [*before] == [*now] and same([*before.values()], [*now.values()])
    if isinstance(now, list | tuple):
        flat = {*map(type, before), *map(type, now)} <= ATOMS
        return (flat and before == now) or (len(before) == len(now) and all(map(same, before, now)))
    return repr(before) == repr(now)
