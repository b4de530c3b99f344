"""Modules of a foreign project that log in odd ways, or bring along what nobody has typed."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import LearningRateFinder
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torchmetrics import MeanSquaredError, MinMetric

from foreign.data import INPUTS, Line
from foreign.modules import Regressor


class EverySecondEpoch(Regressor):
    """Logs two metrics in each second epoch."""

    def on_validation_epoch_end(self) -> None:
        if self.current_epoch % 2 == 0:
            self.log("val_seldom", float(self.current_epoch))

    def on_train_epoch_end(self) -> None:
        if self.current_epoch % 2 == 0:
            self.log("train_seldom", float(self.current_epoch))


class BestSoFar(Regressor):
    """Logs the smallest error so far, as many templates do; and gets worse all the time."""

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self.error, self.smallest = MeanSquaredError(), MinMetric()

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.error(self.net(batch[0]), batch[1])
        self.log("val_error", self.error, on_step=False, on_epoch=True)
        self.log("val_loss", -self.loss(batch), batch_size=8)

    def on_validation_epoch_end(self) -> None:
        self.smallest(self.error.compute())
        self.log("val_smallest", self.smallest.compute())


class OwnNames(Regressor):
    """Logs under the names of the history's own columns."""

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        super().validation_step(batch, batch_idx)
        self.log_dict({"epoch": 40.0, "lr": 41.0, "seconds": 42.0}, batch_size=8)


class TestIsValidation(Regressor):
    """Does in a test what it does in validation, names and all."""

    __test__ = False

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self.validation_step(batch, batch_idx)


class OneName(Regressor):
    """Has one name for the loss of training and of validation."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        loss = self.loss(batch)
        self.log("loss", loss, on_epoch=True, on_step=False, batch_size=8)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        super().validation_step(batch, batch_idx)
        self.log("loss", self.loss(batch), batch_size=8)


class Unsaved(Regressor):
    """Has a tiny loss, and a part that no checkpoint has."""

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self.shift = torch.randn(1)

    def loss(self, batch: Any) -> Tensor:
        return 1e-7 * mse_loss(self.net(batch[0]) + self.shift, batch[1])


class Searching(Regressor):
    """Looks for another learning rate than the one that is recorded."""

    def configure_callbacks(self) -> list[L.Callback]:
        return [LearningRateFinder()]


class Plateau(Regressor):
    """Halves its learning rate at each second epoch."""

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = torch.optim.SGD(self.parameters(), self.lr)
        schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, threshold=10.0)
        monitored: Any = {"scheduler": schedule, "monitor": "train_loss", "frequency": 2}
        return {"optimizer": optimizer, "lr_scheduler": monitored}


class Pretrained(Regressor):
    """Has a backbone, which Lightning's callback freezes and lets go again."""

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        self.backbone = nn.Sequential(nn.Linear(INPUTS, INPUTS), nn.BatchNorm1d(INPUTS))

    def loss(self, batch: Any) -> Tensor:
        return mse_loss(self.net(self.backbone(batch[0])), batch[1])

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return torch.optim.Adam([p for p in self.parameters() if p.requires_grad], self.lr)


class Unoptimized(Regressor):
    """Trains nothing."""

    def configure_optimizers(self) -> None:
        return None


class Drawing(Regressor):
    """Draws a picture in each validation."""

    def on_validation_epoch_end(self) -> None:
        for folder in (self.trainer.log_dir, self.trainer.default_root_dir):
            Path(str(folder), "picture.txt").write_text(f"{self.current_epoch}")


class Impatient(Regressor):
    """Asks in validation for an optimizer that only training has."""

    def on_validation_epoch_end(self) -> None:
        self.log("rate", self.optimizers().param_groups[0]["lr"])  # type: ignore[union-attr]


class Unpublished(Line):
    """Has a test set that nobody has yet."""

    def test_dataloader(self) -> Any:
        raise FileNotFoundError("test.csv is not published yet")


class ByStep(Regressor):
    """Logs its training loss by steps alone, as Lightning does by default."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        self.log("step", float(batch_idx))
        return self.loss(batch)


class TestIsBoth(Regressor):
    """Logs in a test a loss of its own, and what validation logs."""

    __test__ = False

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self.log("test_loss", 42.0, batch_size=8)
        self.validation_step(batch, batch_idx)


class FrozenAtStart(Regressor):
    """Freezes its first layer when training starts, and lets it go in the first epoch."""

    def on_train_start(self) -> None:
        self.net.requires_grad_(requires_grad=False)
        self.net[2].requires_grad_(requires_grad=True)  # type: ignore[index]

    def on_train_epoch_start(self) -> None:
        if self.current_epoch == 0:
            self.net.requires_grad_(requires_grad=True)


class Leaving(Regressor):
    """Ends the process."""

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        sys.exit("enough")


class Preempted(Regressor):
    """Is sent a signal, as a cluster's job is whose node is wanted back."""

    number = signal.SIGUSR2

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        os.kill(os.getpid(), self.number)


class Terminated(Preempted):
    """Is sent the one that Lightning notes, and to which it answers when a step has ended."""

    number = signal.SIGTERM

    def __init__(self, lr: float) -> None:
        super().__init__(lr)
        signal.signal(signal.SIGTERM, lambda *_: None)  # as submitit bypasses it
