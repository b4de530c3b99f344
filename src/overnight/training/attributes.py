"""What a module is besides its state_dict: frozen layers, counters, the best so far, what a hook has set."""

from collections.abc import Collection
from copy import deepcopy
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torchmetrics import Metric

Values = dict[str, Any]

OF_MODULES = {*vars(L.LightningModule()), "_hparams", "_hparams_initial", "_hparams_name"}
"""Attributes in which torch and Lightning keep their own state."""


class Attributes(L.Callback):
    """Puts into checkpoints what training has changed beside the weights, and goes on with it.

    It acts at the start of the first epoch, ahead of all other callbacks, which then do what is due in it:
    who changed something may not know it any more, or do it again.
    """

    def __init__(self) -> None:
        self.begun: Values | None = None
        self.loaded: Values = {}

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note what there is before the first epoch, and put what was loaded in its place."""
        if self.begun is None:
            self.begun = values(pl_module)
            set_attributes(pl_module, self.loaded)

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add which layers are frozen or in evaluation mode, and values that have changed since it began.

        Metrics that training logs as objects, Lightning resets after this.
        """
        logged = trainer.fit_loop.epoch_loop._results.values()  # noqa: SLF001 - it has no other door
        over = {id(each.value) for each in logged if isinstance(each.value, Metric)}
        changes = changed(self.begun or {}, values(pl_module, over))
        checkpoint["attributes"] = flags(pl_module) | changes

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Remember it."""
        self.loaded = checkpoint["attributes"]


def flags(module: nn.Module) -> Values:
    """Return which parameters are trained and which parts are in train mode, by their names."""
    trained = {f"{name}.requires_grad": p.requires_grad for name, p in module.named_parameters()}
    return trained | {f"{name}.training": part.training for name, part in module.named_modules()}


def values(module: nn.Module, over: Collection[int] = ()) -> Values:
    """Return copies of the plain values of all parts, and of tensors that no state_dict has.

    These are buffers that are not persistent, and the states of metrics, but for lists of all samples, and
    but for those metrics whose ``id`` is among those that are ``over``.
    """
    saved = module.state_dict().keys()
    found: Values = {name: buffer for name, buffer in module.named_buffers() if name not in saved}
    for path, part in module.named_modules():
        own = plain_attributes(part)
        if isinstance(part, Metric) and id(part) not in over:
            own |= {name: state for name, state in part.metric_state.items() if isinstance(state, Tensor)}
        found |= {f"{path}.{name}": value for name, value in own.items()}
    return deepcopy({name: v.detach() if isinstance(v, Tensor) else v for name, v in found.items()})


def changed(before: Values, now: Values) -> Values:
    """Return the values that are others now, or new."""
    return {name: value for name, value in now.items() if not same(before.get(name, ...), value)}


def same(before: Any, now: Any) -> bool:
    """Tell whether values are equal, not-a-number too."""
    if isinstance(now, Tensor):
        return isinstance(before, Tensor) and torch.equal(before, now)
    return repr(before) == repr(now)


def set_attributes(module: nn.Module, values: Values) -> None:
    """Set what ``flags`` and ``values`` gave."""
    parts: dict[str, Any] = dict(module.named_modules()) | dict(module.named_parameters())
    for name, value in values.items():
        path, _, own = name.rpartition(".")
        on_device = value.to(getattr(parts[path], own).device) if isinstance(value, Tensor) else value
        setattr(parts[path], own, deepcopy(on_device))


def plain_attributes(module: nn.Module) -> Values:
    """Return the plain values that a module itself keeps; not the state of torch, Lightning or a metric."""
    own = {name: value for name, value in vars(module).items() if name not in OF_MODULES and is_plain(value)}
    if isinstance(module, Metric):
        states = {
            name for name, value in own.items() if name.startswith("_") or isinstance(value, list | dict)
        }
        return {name: value for name, value in own.items() if name not in states}
    return own


def is_plain(value: Any) -> bool:
    """Tell whether a value consists of numbers, texts, lists and dicts alone."""
    if isinstance(value, dict):
        return all(is_plain(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)
