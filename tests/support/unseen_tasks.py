"""Forks of fcnlab's task that read what a hook changes, or what is each run's own."""

from enum import StrEnum
from typing import Any

import numpy as np
from torch import nn

from fcnlab.task import Classifier, Outputs


def weighed(outputs: Outputs, weight: float) -> Outputs:
    """Return what a step returns with another loss."""
    return outputs | {"loss": outputs["loss"] * weight}


class GrowingByHook(Classifier):
    """Weighs the loss by what a hook sets."""

    _weight = 1.0

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        self._weight = 1.0 + self.current_epoch

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        return weighed(super().training_step(batch, batch_idx), self._weight)


class Annealing:
    """A weight that is halved with every call of ``step``."""

    weight = 1.0

    def step(self) -> None:
        self.weight /= 2


class GrowingByObject(Classifier):
    """Weighs the loss by what an object of its own says."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.annealing = Annealing()

    def on_train_epoch_end(self) -> None:
        super().on_train_epoch_end()
        self.annealing.step()

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        return weighed(super().training_step(batch, batch_idx), self.annealing.weight)


class SampleCount(Classifier):
    """Counts samples in its steps; a hook looks at the number."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._count = [0]

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        self._count[0] += len(batch[1])
        return super().training_step(batch, batch_idx)


class Phase(StrEnum):
    """How far a training is."""

    START = "start"
    MAIN = "main"


class Phased(Classifier):
    """Notes in a step how far it is, in a text of a class of its own; a hook looks at it."""

    _phase = Phase.START

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        self._phase = Phase.MAIN
        return super().training_step(batch, batch_idx)


class Averaging(Classifier):
    """Keeps in its steps a number of numpy's."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.seen = np.float32(0)

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        self.seen += np.float32(len(batch[1]))
        return super().training_step(batch, batch_idx)


class LaterEvaluated(Classifier):
    """Keeps its layers in evaluation mode in later epochs."""

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        self.net.train(self.current_epoch == 0)


class Sharpened(Classifier):
    """Has sharper outputs in validation than in training, by a hook."""

    _sharpness = 1

    def on_validation_epoch_start(self) -> None:
        super().on_validation_epoch_start()
        self._sharpness = 1 + self.current_epoch

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Outputs:
        outputs = super().validation_step(batch, batch_idx, dataloader_idx)
        return outputs | {"logits": outputs["logits"] * self._sharpness}


class LogsRate(Classifier):
    """Logs its learning rate in a step."""

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        optimizer: Any = self.optimizers()
        self.log("lr", optimizer.param_groups[0]["lr"], on_step=False, on_epoch=True)
        return super().training_step(batch, batch_idx)


class WeighedByMetric(Classifier):
    """Weighs the loss by that of the last validation."""

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        outputs = super().training_step(batch, batch_idx)
        return weighed(outputs, float(self.trainer.callback_metrics.get("val/loss", 1)))


class OwnNumbers(Classifier):
    """Weighs the loss by numbers that its seed draws."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.numbers = np.random.default_rng(settings["seed"]).random(3)

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        return weighed(super().training_step(batch, batch_idx), float(self.numbers[batch_idx % 3]))


class OwnTest(Classifier):
    """Weighs the loss of a test by its seed."""

    def test_step(self, batch: Any, batch_idx: int) -> Outputs:
        outputs = super().test_step(batch, batch_idx)
        data: Any = self.trainer.datamodule  # type: ignore[attr-defined]
        return outputs | {"plain_loss": outputs["plain_loss"] * data.seed}


class LaterDropout(Classifier):
    """Drops more in later epochs."""

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        for layer in self.net.modules():
            if isinstance(layer, nn.Dropout):
                layer.p = 0.1 * self.current_epoch


class LaterFrozen(Classifier):
    """Freezes its first layer after an epoch."""

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        next(self.net.parameters()).requires_grad_(self.current_epoch == 0)


class Halved(Classifier):
    """Puts other tensors in the place of its weights."""

    def on_train_epoch_end(self) -> None:
        super().on_train_epoch_end()
        for weights in self.net.parameters():
            weights.data = weights.data / 2


class LateInEpoch(Classifier):
    """Weighs the loss less from the third step of each epoch on."""

    weight = 1.0

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        return weighed(super().training_step(batch, batch_idx), self.weight)

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        self.weight = 1.0

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_end(outputs, batch, batch_idx)
        self.weight = 0.1 if batch_idx > 1 else 1.0


class SmoothedLate(Classifier):
    """Smooths labels from the third step of each epoch on."""

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        self.loss.label_smoothing = 0.0  # type: ignore[assignment]

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        super().on_train_batch_end(outputs, batch, batch_idx)
        if batch_idx > 1:
            self.loss.label_smoothing = 0.5  # type: ignore[assignment]
