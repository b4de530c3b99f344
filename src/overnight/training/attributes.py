"""What a module is besides its state_dict: frozen layers, counters, the best so far, what a hook has set."""

import logging
from collections.abc import Collection
from copy import deepcopy
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torchmetrics import Metric

from overnight.training.own_parts import all_parts
from overnight.training.plain import (
    as_plain,
    can_be_kept,
    changed,
    fill,
    is_array,
    is_filled,
    is_simple,
    kept_attributes,
    tensors_in,
)
from overnight.training.unkept import unkept

log = logging.getLogger(__name__)

Values = dict[str, Any]


class Attributes(L.Callback):
    """Puts into checkpoints what training has changed beside the weights, and goes on with it.

    It acts before loaders are made; and again at the start of the first epoch, ahead of all other callbacks,
    which then do what is due in it: who changed something may not know it any more, or do it again.
    """

    def __init__(self) -> None:
        self.made: Values | None = None
        self.begun: Values | None = None
        self.others: dict[str, str] = {}
        self.loaded: Values = {}
        self.filled: list[str] = []
        self.flags: dict[str, bool] = {}

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Give the module its precision before weights are loaded; Lightning has rounded them by then."""
        trainer.precision_plugin.convert_module(pl_module)
        _ = pl_module.hparams  # are there from the first time on that somebody asks for them

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note what there is before hooks add to it, and put what was loaded in its place."""
        self.made = deepcopy(plain(values(pl_module)))
        set_attributes(pl_module, self.loaded, self.filled)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note what there is before the first epoch, and put what was loaded in its place.

        Tensors and arrays that hooks have made since ``on_fit_start``, such as copies of the weights to begin
        with, are as good as changed: a run that goes on would make them of later weights.
        """
        if self.begun is None:
            now, self.others = plain(values(pl_module)), unkept(trainer, pl_module)
            made = changed(self.made, now) if self.made is not None else {}
            new = {
                name
                for name, value in made.items()
                if is_array(value) or any(map(is_simple, tensors_in(value)))
            }
            self.begun = deepcopy({name: value for name, value in now.items() if name not in new})
            missing = set_attributes(pl_module, self.loaded | self.flags, self.filled)
            if missing:
                log.warning("not as in the checkpoint, since not there yet: %s", ", ".join(sorted(missing)))

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add which layers are frozen or in evaluation mode, and values that have changed since it began.

        Metrics that training logs as objects, Lightning resets after this.
        """
        logged = trainer.fit_loop.epoch_loop._results.values()  # noqa: SLF001 - it has no other door
        over = {id(each.value) for each in logged if isinstance(each.value, Metric)}
        now, others, begun = values(pl_module, over), unkept(trainer, pl_module), self.begun or {}
        known = {name: as_plain(now[name]) for name in self.loaded.keys() & now.keys()}
        changes = deepcopy(changed(begun, plain(now)) | known)  # as a whole: what has two names stays one
        arrays = {name: value for name, value in changes.items() if is_array(value)}
        tensors = {id(value): torch.from_numpy(np.array(value)) for value in arrays.values()}
        held = {name: tensors.get(id(value), value) for name, value in changes.items()}
        checkpoint |= {"attributes": held, "flags": flags(pl_module)}
        checkpoint["arrays"] = {name: isinstance(value, np.generic) for name, value in arrays.items()}
        checkpoint["filled"] = [name for name in changes if is_filled(now[name])]
        other = {name for name in self.others | others if self.others.get(name) != others.get(name)}
        gone = {f"task.{name}".replace("..", ".") for name in begun.keys() - now.keys()}
        lost = sorted(other | gone)
        checkpoint["unkept"] = [n for n in lost if not any(n.startswith(f"{above}.") for above in lost)]

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Remember it, and say what is in no checkpoint."""
        if lost := ", ".join(checkpoint["unkept"]):
            log.warning(
                "%s: changed in training, and in no checkpoint. From here on the run may be another than "
                "without the interruption. Needed: on_save_checkpoint and on_load_checkpoint",
                lost,
            )
        loaded, numbers = checkpoint["attributes"], checkpoint["arrays"]
        arrays = {id(loaded[name]): loaded[name].numpy() for name in numbers}
        self.loaded = {name: arrays.get(id(value), value) for name, value in loaded.items()}
        self.loaded |= {name: self.loaded[name][()] for name, number in numbers.items() if number}
        self.filled, self.flags = checkpoint["filled"], checkpoint["flags"]


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
