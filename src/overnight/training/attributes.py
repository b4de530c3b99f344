"""What a module is besides its state_dict: frozen layers, counters, the best so far, what a hook has set."""

import logging
from copy import deepcopy
from typing import Any

import lightning as L
import numpy as np
import torch
from torchmetrics import Metric

from overnight.training.kept_values import Values, flags, plain, set_attributes, values
from overnight.training.plain import as_plain, changed, is_array, is_filled, tensors_in
from overnight.training.unkept import unkept

log = logging.getLogger(__name__)


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
            new = {name for name, value in made.items() if is_array(value) or [*tensors_in(value)]}
            self.begun = deepcopy({name: value for name, value in now.items() if name not in new})
            self.made = None  # it may be large
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
        checkpoint |= without_arrays(changes) | {"flags": flags(pl_module)}
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
        self.loaded = with_arrays(checkpoint)
        self.filled, self.flags = checkpoint["filled"], checkpoint["flags"]


def without_arrays(values: Values) -> dict[str, Any]:
    """Return the ``attributes`` of a checkpoint, numpy's as tensors, and in ``arrays`` which are numbers."""
    arrays = {name: value for name, value in values.items() if is_array(value)}
    tensors = {id(value): torch.from_numpy(np.array(value)) for value in arrays.values()}
    return {
        "attributes": {name: tensors.get(id(value), value) for name, value in values.items()},
        "arrays": {name: isinstance(value, np.generic) for name, value in arrays.items()},
    }


def with_arrays(checkpoint: dict[str, Any]) -> Values:
    """Return what ``without_arrays`` was given; what had two names has them again."""
    held, numbers = checkpoint["attributes"], checkpoint["arrays"]
    arrays = {id(held[name]): held[name].numpy() for name in numbers}
    values = {name: arrays.get(id(value), value) for name, value in held.items()}
    return values | {name: values[name][()] for name, number in numbers.items() if number}
