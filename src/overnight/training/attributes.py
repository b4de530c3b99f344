"""What a module is besides its state_dict: frozen layers, counters, the best so far, what a hook has set."""

import logging
import pickle
import random
from collections import deque
from collections.abc import Collection
from contextlib import suppress
from copy import deepcopy
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.core.hooks import CheckpointHooks
from torch import Tensor, nn
from torchmetrics import Metric

from overnight.training.plain import NUMPY, OF_MODULES, can_be_kept, is_plain, plain_attributes

log = logging.getLogger(__name__)

Values = dict[str, Any]

STATELESS = (L.Callback.state_dict, L.LightningDataModule.state_dict)
SAVING_NOTHING = (None, L.Callback.on_save_checkpoint, CheckpointHooks.on_save_checkpoint)

CHANGING = (np.random.Generator, np.random.RandomState, random.Random, torch.Generator, deque, set)
"""Objects that a step may change, and that no checkpoint can hold."""


class Attributes(L.Callback):
    """Puts into checkpoints what training has changed beside the weights, and goes on with it.

    It acts at the start of the first epoch, ahead of all other callbacks, which then do what is due in it:
    who changed something may not know it any more, or do it again.
    """

    def __init__(self) -> None:
        self.begun: Values | None = None
        self.loaded: Values = {}

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Give the module its precision before weights are loaded; Lightning has rounded them by then."""
        trainer.precision_plugin.convert_module(pl_module)

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note what there is before the first epoch, and put what was loaded in its place."""
        if self.begun is None:
            self.begun = deepcopy(values(pl_module)) | unkept(trainer, pl_module)
            set_attributes(pl_module, self.loaded)

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add which layers are frozen or in evaluation mode, and values that have changed since it began.

        Metrics that training logs as objects, Lightning resets after this.
        """
        logged = trainer.fit_loop.epoch_loop._results.values()  # noqa: SLF001 - it has no other door
        over = {id(each.value) for each in logged if isinstance(each.value, Metric)}
        changes = deepcopy(changed(self.begun or {}, values(pl_module, over)))
        arrays = {name: torch.from_numpy(np.array(v)) for name, v in changes.items() if isinstance(v, NUMPY)}
        checkpoint |= {"attributes": flags(pl_module) | changes | arrays, "arrays": list(arrays)}
        checkpoint["unkept"] = list(changed(self.begun or {}, unkept(trainer, pl_module)))

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


def flags(module: nn.Module) -> Values:
    """Return which parameters are trained and which parts are in train mode, by their names."""
    trained = {f"{name}.requires_grad": p.requires_grad for name, p in module.named_parameters()}
    return trained | {f"{name}.training": part.training for name, part in module.named_modules()}


def values(module: nn.Module, over: Collection[int] = ()) -> Values:
    """Return the values of all parts that no state_dict has and a checkpoint can hold.

    These are attributes that are numbers, texts, tensors or arrays, or lists and dicts of them; buffers that
    are not persistent; and of metrics the states that are tensors, but for those whose ``id`` is in ``over``.
    """
    saved = module.state_dict().keys()
    found: Values = {name: b.detach() for name, b in module.named_buffers() if name not in saved}
    for path, part in module.named_modules():
        own = plain_attributes(part)
        if isinstance(part, Metric):
            states = {} if id(part) in over else part.metric_state
            own |= {name: state for name, state in states.items() if isinstance(state, Tensor)}
        elif not type(part).__module__.startswith("torch."):  # whose tensors are their parameters
            own |= {name: v for name, v in vars(part).items() if name not in OF_MODULES and can_be_kept(v)}
        found |= {f"{path}.{name}": value for name, value in own.items()}
    return found


def unkept(trainer: L.Trainer, module: nn.Module) -> Values:
    """Return what may change and is in no checkpoint: plain values of data module and callbacks, generators.

    Of callbacks those are meant that are neither Lightning's nor ours.
    """
    holders = [trainer.datamodule, *trainer.callbacks]  # type: ignore[attr-defined]
    own = [each for each in holders if not type(each).__module__.startswith(("lightning.", "overnight."))]
    silent = [each for each in own if each and type(each).state_dict in STATELESS and not saves(each)]
    found = {f"{type(each).__name__}.{k}": v for each in silent for k, v in vars(each).items() if is_plain(v)}
    for path, part in module.named_modules() if not saves(module) else ():
        changing = {name: value for name, value in vars(part).items() if isinstance(value, CHANGING)}
        found |= {f"task.{path}.{name}".replace("..", "."): pickled(v) for name, v in changing.items()}
    return deepcopy(found)


def saves(part: Any) -> bool:
    """Tell whether a module or a callback has a hook of its own for what it wants in a checkpoint."""
    return getattr(type(part), "on_save_checkpoint", None) not in SAVING_NOTHING


def pickled(value: Any) -> bytes:
    """Return what is another if a value has changed; b"" if nobody can tell."""
    with suppress(Exception):
        return pickle.dumps(value)
    return b""


def changed(before: Values, now: Values) -> Values:
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


def set_attributes(module: nn.Module, values: Values) -> None:
    """Set what ``flags`` and ``values`` gave; of parts that a callback will make later, say so."""
    parts: dict[str, Any] = dict(module.named_modules()) | dict(module.named_parameters())
    for name, value in deepcopy(values).items():
        path, _, own = name.rpartition(".")
        if path in parts:
            there = getattr(parts[path], own, None)
            if isinstance(value, Tensor) and isinstance(there, Tensor):
                value = value.to(there.device)  # noqa: PLW2901
            setattr(parts[path], own, value)
    if missing := ", ".join(sorted({name.rpartition(".")[0] for name in values} - parts.keys())):
        log.warning("not as in the checkpoint, since they are not there yet: %s", missing)
