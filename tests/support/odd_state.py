"""Modules and data of a foreign project that keep, or draw, what no state_dict has."""

from collections import defaultdict, deque
from copy import deepcopy
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import random_split
from torchmetrics import CatMetric, MeanMetric, MeanSquaredError

from foreign.data import Line, line
from foreign.modules import Regressor


class Changing(Regressor):
    """Changes by its hooks what no state_dict has, and trains with it."""

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self.steps, self._weight, self.noted = 0, 1.0, {"losses": [0.5]}
        self.register_buffer("mean", torch.zeros(1), persistent=False)
        self.mean: Tensor
        self.seen, self.all_seen = MeanMetric(), CatMetric()
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
        self.all_seen.update(loss.detach())
        self.log("train_all", self.all_seen.compute().sum())
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


class Average:
    """An average of a network's weights; no module, so that no state_dict has it."""

    def __init__(self, net: nn.Module) -> None:
        self.net, self.average, self.updates = net, deepcopy(net), 0

    def update(self) -> None:
        self.updates += 1
        with torch.no_grad():
            for ours, theirs in zip(self.average.parameters(), self.net.parameters(), strict=True):
                ours.lerp_(theirs, 1 / (self.updates + 1))


@dataclass(frozen=True)
class Plan:
    """What a hook exchanges."""

    weight: float = 1.0


class Keeping(Regressor):
    """Keeps objects, containers of other classes, and a teacher in a list, which is no layer of it."""

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self.save_hyperparameters()
        self.ema, self.plan, self.hidden = Average(self.net), Plan(), [deepcopy(self.net)]
        self.bag = SimpleNamespace(steps=0, seen={"losses": [0.0]})
        self.recent: deque[float] = deque(maxlen=3)
        self.sums: dict[str, list[float]] = defaultdict(list)

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        of_teachers = self.hidden[0](batch[0]) + self.ema.average(batch[0])
        loss = (
            self.loss(batch) + self.plan.weight * (self.net(batch[0]) - of_teachers.detach()).square().mean()
        )
        self.bag.steps += 1
        self.recent.append(loss.item())
        self.sums["all"].append(self.bag.steps * sum(self.recent))
        self.log("train_sum", sum(self.sums["all"]))
        return loss * (1 + sum(self.bag.seen["losses"]) / 100) * self.hparams["lr"]

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.ema.update()

    def on_train_epoch_end(self) -> None:
        self.plan = Plan(self.plan.weight / 2)
        self.hparams["lr"] *= 2
        self.bag.seen["losses"].append(self.plan.weight)
        self.hidden[0].load_state_dict(self.ema.average.state_dict())


class Phase(Enum):
    """Parts of a training."""

    WARM = 1
    LATE = 2


class Exchanging(Regressor):
    """Exchanges what no checkpoint can hold for another of its kind."""

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self.phase, self.plan, self.bags = Phase.WARM, Plan(), [{1: Plan()}]

    def on_train_epoch_end(self) -> None:
        self.phase, self.plan = Phase.LATE, SimpleNamespace(weight=1.0)  # type: ignore[assignment]
        self.bags.append({2: Plan()})


class Shadowing(L.Callback):
    """Keeps weights, and says nothing of them."""

    def __init__(self) -> None:
        self.shadow: dict[str, Tensor] = {}

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.shadow = {name: weights.detach().clone() for name, weights in pl_module.named_parameters()}
