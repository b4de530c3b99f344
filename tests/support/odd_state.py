"""Modules and data of a foreign project that keep, or draw, what no state_dict has."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import random_split
from torchmetrics import MeanMetric, MeanSquaredError

from foreign import Line, Regressor, line


class Changing(Regressor):
    """Changes by its hooks what no state_dict has, and trains with it."""

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self.steps, self._weight, self.noted = 0, 1.0, {"losses": [0.5]}
        self.register_buffer("mean", torch.zeros(1), persistent=False)
        self.mean: Tensor
        self.seen = MeanMetric()
        self.center: Any = None
        self.spread: Any = 1.0
        self.averaged: dict[str, Tensor] = {}

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        self.steps += 1
        loss = self.loss(batch) * self._weight * self.spread + self.mean.mean() * self.steps
        for name, weights in self.named_parameters():
            average = self.averaged.get(name, weights.detach())
            self.averaged[name] = 0.9 * average + 0.1 * weights.detach()
        loss = loss + sum((w - self.averaged[name]).square().sum() for name, w in self.named_parameters())
        self.center = loss.detach() if self.center is None else 0.5 * self.center + loss.detach()
        self.mean.mul_(0.9).add_(self.center)
        self.seen.update(loss.detach())
        self.log("train_seen", self.seen, on_epoch=True, on_step=False)
        self.log("train_steps", float(self.steps + sum(self.noted["losses"])))
        return loss

    def on_train_epoch_start(self) -> None:
        if self.current_epoch == 0:
            self.net[1].eval()  # type: ignore[index]

    def on_train_epoch_end(self) -> None:
        self._weight *= 1.5
        self.noted["losses"].append(self._weight)
        self.spread = np.mean([self._weight, 1.0])
        self.net[1].p += 0.1  # type: ignore[index]


class Phases(dict[str, int]):
    """Is a dict, and none that a checkpoint can hold."""


class Unkept(Regressor):
    """Keeps what no checkpoint can hold, from its second epoch on."""

    phases: Any = None

    def on_train_epoch_end(self) -> None:
        if self.current_epoch:
            self.phases = Phases(warm=self.current_epoch)


class Elsewhere(Regressor):
    """Changes a generator of its own, and its data module."""

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self.rng = np.random.default_rng(0)

    def on_train_epoch_end(self) -> None:
        self.rng.random()
        self.trainer.datamodule.stage = self.current_epoch  # type: ignore[attr-defined]


class Resetting(Regressor):
    """Computes a metric in a hook and resets it, as many modules do."""

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self.error = MeanSquaredError()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        super().validation_step(batch, batch_idx)
        self.error.update(self.net(batch[0]), batch[1])

    def on_validation_epoch_end(self) -> None:
        self.log("val_error", self.error.compute())
        self.error.reset()


class Counting(Regressor):
    """Logs how often it was validated in training."""

    validations = 0

    def on_validation_epoch_end(self) -> None:
        self.validations += self.trainer.state.fn == "fit"
        self.log("val_number", float(self.validations))


class GrowingLine(Line):
    """Has more points in later epochs."""

    def train_dataloader(self) -> Any:
        return self.loader(line(20 + 16 * self.trainer.current_epoch, seed=0), shuffle=True)  # type: ignore[union-attr]


class SplitAtLoading(Line):
    """Draws its validation set when it is asked for it, and so the training set."""

    def parts(self) -> Any:
        return random_split(line(60, seed=0), [40, 20])

    def train_dataloader(self) -> Any:
        return self.loader(self.parts()[0], shuffle=True)

    def val_dataloader(self) -> Any:
        return self.loader(self.parts()[1])
