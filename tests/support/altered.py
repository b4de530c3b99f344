"""A task and a callback of a user's who changes what is measured."""

from typing import Any

import lightning as L
import torch

from fcnlab.task import Classifier, Outputs


class Altered(Classifier):
    """Overrides what validates and tests."""

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Outputs:
        outputs = super().validation_step(batch, batch_idx, dataloader_idx)
        return outputs | {"plain_loss": outputs["plain_loss"] * 2}

    def test_step(self, batch: Any, batch_idx: int) -> Outputs:
        outputs = super().test_step(batch, batch_idx)
        return outputs | {"plain_loss": outputs["plain_loss"] * 3}

    def on_validation_epoch_end(self) -> None:
        super().on_validation_epoch_end()
        self.log("val/mine", torch.tensor(1.5))


class Counting(L.Callback):
    """Logs a metric of its own."""

    def on_validation_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        pl_module.log("mine/count", float(trainer.current_epoch))
