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
from overnight.training.plain import NUMPY, as_plain, can_be_kept, changed, fill, is_filled, kept_attributes
from overnight.training.unkept import unkept

log = logging.getLogger(__name__)

Values = dict[str, Any]


class Attributes(L.Callback):
    """Puts into checkpoints what training has changed beside the weights, and goes on with it.

    It acts at the start of the first epoch, ahead of all other callbacks, which then do what is due in it:
    who changed something may not know it any more, or do it again.
    """

    def __init__(self) -> None:
        self.begun: Values | None = None
        self.others: dict[str, str] = {}
        self.loaded: Values = {}
        self.filled: list[str] = []

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Give the module its precision before weights are loaded; Lightning has rounded them by then."""
        trainer.precision_plugin.convert_module(pl_module)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note what there is before the first epoch, and put what was loaded in its place."""
        if self.begun is None:
            self.begun, self.others = deepcopy(plain(values(pl_module))), unkept(trainer, pl_module)
            set_attributes(pl_module, self.loaded, self.filled)

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add which layers are frozen or in evaluation mode, and values that have changed since it began.

        Metrics that training logs as objects, Lightning resets after this.
        """
        logged = trainer.fit_loop.epoch_loop._results.values()  # noqa: SLF001 - it has no other door
        over = {id(each.value) for each in logged if isinstance(each.value, Metric)}
        now = values(pl_module, over)
        changes = deepcopy(changed(self.begun or {}, plain(now)))
        arrays = {name: torch.from_numpy(np.array(v)) for name, v in changes.items() if isinstance(v, NUMPY)}
        checkpoint |= {"attributes": flags(pl_module) | changes | arrays, "arrays": list(arrays)}
        checkpoint["filled"] = [name for name in changes if is_filled(now[name])]
        checkpoint["unkept"] = list(changed(self.others, unkept(trainer, pl_module)))

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
        loaded = checkpoint["attributes"]
        self.loaded = loaded | {name: loaded[name].numpy()[()] for name in checkpoint["arrays"]}
        self.filled = checkpoint["filled"]


def flags(module: nn.Module) -> Values:
    """Return which parameters are trained and which parts are in train mode, by their names."""
    trained = {f"{name}.requires_grad": p.requires_grad for name, p in module.named_parameters()}
    return trained | {f"{name}.training": part.training for name, part in module.named_modules()}


def values(module: nn.Module, over: Collection[int] = ()) -> Values:
    """Return the values of all parts that no state_dict has and a checkpoint can hold.

    These are attributes that are numbers, texts, tensors or arrays, or lists and dicts of them; buffers that
    are not persistent; the weights of modules that are not registered; and the states of metrics, but for
    those whose ``id`` is in ``over``.
    """
    saved, layers = module.state_dict().keys(), {*module.modules()}
    found: Values = {name: b.detach() for name, b in module.named_buffers() if name not in saved}
    for path, part in all_parts(module).items():
        own = kept_attributes(part)
        if isinstance(part, Metric) and id(part) not in over:
            own |= {name: state for name, state in part.metric_state.items() if can_be_kept(state)}
        if isinstance(part, nn.Module) and part not in layers:
            tensors = (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False))
            own |= {name: tensor.detach() for name, tensor in tensors}
        found |= {f"{path}.{name}": value for name, value in own.items()}
    return found


def plain(values: Values) -> Values:
    """Return values in the form that a checkpoint can hold."""
    return {name: as_plain(value) for name, value in values.items()}


def set_attributes(module: nn.Module, values: Values, filled: Collection[str] = ()) -> None:
    """Set what ``flags`` and ``values`` gave; say so of what is not there yet, since it will be made later.

    Those in ``filled`` are containers that are filled, and not exchanged.
    """
    parts = all_parts(module) | dict(module.named_parameters())
    missing = set()
    for name, value in deepcopy(values).items():
        path, _, own = name.rpartition(".")
        there = getattr(parts.get(path), own, None)
        if path not in parts or (name in filled and not is_filled(there)):
            missing.add(name.lstrip(".") if path in parts else path)
        else:
            set_attribute(parts[path], own, value, there)
    if missing:
        log.warning("not as in the checkpoint, since they are not there yet: %s", ", ".join(sorted(missing)))


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
