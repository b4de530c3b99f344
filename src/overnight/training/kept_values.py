"""The values of a module that no state_dict has: found, and set again."""

from collections.abc import Collection
from copy import deepcopy
from typing import Any

from torch import Tensor, nn
from torchmetrics import Metric

from overnight.training.own_parts import all_parts
from overnight.training.plain import (
    as_plain,
    can_be_kept,
    fill,
    is_filled,
    is_simple,
    kept_attributes,
    tensors_in,
)

Values = dict[str, Any]


def flags(module: nn.Module) -> dict[str, bool]:
    """Return which parameters are trained and which parts are in train mode, by their names."""
    trained = {f"{name}.requires_grad": p.requires_grad for name, p in module.named_parameters()}
    return trained | {f"{name}.training": part.training for name, part in module.named_modules()}


def values(module: nn.Module, over: Collection[int] = ()) -> Values:
    """Return the values of all parts that no state_dict has and a checkpoint can hold.

    These are attributes that are numbers, texts, tensors or arrays, or lists and dicts of them; buffers that
    are not persistent; the weights of modules that are not registered; and the states of metrics, but for
    those whose ``id`` is in ``over``. What shares its memory with a state_dict is there already.
    """
    saved = {name: value for name, value in module.state_dict().items() if isinstance(value, Tensor)}
    buffers = ((name, buffer.detach()) for name, buffer in module.named_buffers() if name not in saved)
    found: Values = {name: buffer for name, buffer in buffers if can_be_kept(buffer)}
    layers, parts = {*module.modules()}, all_parts(module)[0]
    for path, part in parts.items():
        own = kept_attributes(part)
        if isinstance(part, Metric) and id(part) not in over:
            own |= {name: state for name, state in part.metric_state.items() if can_be_kept(state)}
        if isinstance(part, nn.Module) and part not in layers:
            tensors = (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False))
            own |= {name: tensor.detach() for name, tensor in tensors if can_be_kept(tensor.detach())}
        found |= {f"{path}.{name}": value for name, value in own.items()}
    memory = {place for tensor in saved.values() if (place := place_of(tensor))}
    return {n: v for n, v in found.items() if memory.isdisjoint(map(place_of, tensors_in(v)))}


def place_of(tensor: Tensor) -> int:
    """Return where in memory the numbers of a tensor lie; 0 if it has no such place."""
    return tensor.untyped_storage().data_ptr() if is_simple(tensor.detach()) else 0


def plain(values: Values) -> Values:
    """Return values in the form that a checkpoint can hold."""
    return {name: as_plain(value) for name, value in values.items()}


def set_attributes(module: nn.Module, values: Values, filled: Collection[str]) -> set[str]:
    """Set what ``flags`` and ``values`` gave; return the names of what is not there.

    Those in ``filled`` are containers that are filled, and not exchanged.
    """
    parts = all_parts(module)[0] | dict(module.named_parameters())
    missing = set()
    for name, value in deepcopy(values).items():
        path, _, own = name.rpartition(".")
        there = getattr(parts.get(path), own, None)
        if path not in parts or (name in filled and not is_filled(there)):
            missing.add(name.lstrip(".") if path in parts else path)
        else:
            set_attribute(parts[path], own, value, there)
    return missing


def set_attribute(part: Any, name: str, value: Any, there: Any) -> None:
    """Set one attribute, in the way of what is there."""
    if is_filled(there):
        fill(there, value)
    elif isinstance(there, nn.Parameter):
        there.data.copy_(value)
    else:
        on_device = isinstance(there, Tensor) and isinstance(value, Tensor)
        setter = setattr if isinstance(part, nn.Module) else object.__setattr__  # which frozen ones allow
        setter(part, name, value.to(there.device) if on_device else value)
