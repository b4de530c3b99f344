"""The LightningModule: a net, how it learns, and what is measured while it does."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torchmetrics import Metric, MetricCollection

from overnight.data.in_memory import split_name
from overnight.training.augmentation import Augmentation, Augmentations, Unaugmented
from overnight.training.checkpoints import load_task
from overnight.training.optimizers import decay_matrices, refuse_optimizer
from overnight.training.schedules import Schedule, refuse_schedule
from overnight.training.speed import QuickHooks
from overnight.training.targets import Classes, Numbers, refuse_outputs

Batch = tuple[Tensor, Tensor]
Outputs = dict[str, Tensor]


class Classifier(QuickHooks, L.LightningModule):
    """Trains a net to tell classes apart, or to predict numbers.

    It logs ``{train,val,test}/loss`` and every metric as ``{train,val,test}/NAME``.

    The steps return loss, logits and targets and change nothing else; what is measured is computed once at
    the end of each pass.

    Args:
        net: images or other features [batch, ...] to logits [batch, classes], or to numbers [batch, k].
        optimizer: makes the optimizer for the net's parameters.
        schedule: the learning-rate scheduler.
        loss: (logits, targets) to a scalar; what is minimized.
        eval_loss: the same without regularization; what is reported for validation and test.
        penalty: (loss, net) to the loss that is minimized; its curve shows the loss without.
        metrics: torchmetrics of (logits, targets), by name.
        augmentation: what alters the images of training, by name; {} for nothing.
        seed: draws the augmentation.
        target: what the targets are; see ``overnight.training.targets``.

    Raises:
        ConfigError: the optimizer or its scheduler cannot be built.
    """

    takes_splits: ClassVar = True
    """``validation_step`` tells validation, test and training data apart: see ``split_name``."""

    stacked_settings: ClassVar = (
        *("seed", "lr", "weight_decay", "l1", "init", "optimizer", "scheduler", "regularization"),
        *("callbacks", "data.seed", "data.split_seed", "data.fold", "model.weight_init", "model.bias_init"),
        *("task.net.weight_init", "task.net.bias_init", "task.optimizer", "task.schedule", "task.penalty"),
        "task.seed",
    )
    """Settings in which runs may differ that are trained as one batched network."""

    def __init__(
        self,
        net: nn.Module,
        optimizer: Callable[..., Optimizer],
        schedule: Schedule,
        loss: nn.Module,
        eval_loss: nn.Module,
        penalty: nn.Module,
        metrics: Mapping[str, Metric],
        augmentation: Mapping[str, Augmentation],
        seed: int,
        target: Classes | Numbers,
    ) -> None:
        super().__init__()
        self.target = target
        self.net, self.loss, self.eval_loss, self.penalty = net, loss, eval_loss, penalty
        self.optimizer, self.schedule = optimizer, schedule
        self.metrics = MetricCollection(dict(metrics))
        self.augment = Augmentations(augmentation, seed) if augmentation else Unaugmented()
        self._seen: dict[str, list[Outputs]] = {}
        refuse_optimizer(optimizer, net)
        refuse_schedule(schedule, optimizer(net.parameters()))

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [batch, classes]."""
        logits: Tensor = self.net(images)
        return logits

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build the optimizer, and the scheduler for the length of this fit."""
        optimizer = decay_matrices(self.optimizer(self.net.parameters()))
        schedule = self.schedule.configure(optimizer, lambda: int(self.trainer.estimated_stepping_batches))
        return {"optimizer": optimizer, "lr_scheduler": schedule}  # type: ignore[return-value]

    def training_step(self, batch: Batch, batch_idx: int) -> Outputs:
        """Return the loss of one batch, penalty included, as ``loss``; and what is measured of it."""
        images, learned, counted = self.augment(*batch, self.current_epoch, batch_idx)
        logits = self.net(images)
        loss: Tensor = self.loss(logits, self.target.learned(learned))
        return {
            "loss": self.penalty(loss, self.net),
            "plain_loss": loss.detach(),
            "logits": logits.detach(),
            "targets": counted,
        }

    def training_inputs(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the images of a batch as the net is given them in training; a report shows them."""
        images: Tensor = self.augment(*batch, self.current_epoch, batch_idx).images
        return images

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> Outputs:
        """Return what is measured of one batch.

        Raises:
            ConfigError: the net gives something else than needed; an untrained one is validated first.
        """
        images, targets = batch
        logits = self.net(images)
        refuse_outputs(logits, len(images), self.net)
        plain_loss = self.eval_loss(logits, self.target.learned(targets))
        return {"plain_loss": plain_loss, "logits": logits, "targets": targets}

    def test_step(self, batch: Batch, batch_idx: int) -> Outputs:
        """Return what is measured of one batch."""
        return self.validation_step(batch, batch_idx)

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the probabilities [batch, classes], or the predicted numbers [batch]."""
        images, _ = batch
        return self.target.predicted(self(images))

    def on_train_epoch_start(self) -> None:
        """Forget the last epoch."""
        self._seen["train"] = []

    def on_train_batch_end(self, outputs: Any, batch: Batch, batch_idx: int) -> None:
        """Keep what is measured of the batch."""
        self._seen["train"].append(outputs)

    def on_train_epoch_end(self) -> None:
        """Log the means over the epoch, in train mode and of weights that changed."""
        self.log_pass("train")

    def on_validation_batch_end(
        self, outputs: Any, batch: Batch, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Keep what is measured of the batch, with those of its split."""
        self._seen.setdefault(split_name(self.trainer, dataloader_idx), []).append(outputs)

    def on_validation_epoch_end(self) -> None:
        """Log each split that was evaluated; what the epoch's training gave is still to be added to."""
        training = {"train": self._seen.pop("train", [])} if self.trainer.state.fn == "fit" else {}
        for split in list(self._seen):
            self.log_pass(split)
        self._seen = training

    def on_test_batch_end(self, outputs: Any, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Keep what is measured of the batch."""
        self._seen.setdefault("test", []).append(outputs)

    def on_test_epoch_end(self) -> None:
        """Log the test set."""
        self.log_pass("test")

    def log_pass(self, split: str) -> None:
        """Log what was seen in one pass over a split."""
        seen = self._seen.pop(split)
        losses, logits, targets = (
            [each[key] for each in seen] for key in ("plain_loss", "logits", "targets")
        )
        sizes = torch.tensor([len(part) for part in targets])
        measured = self.measured(torch.stack(losses), sizes, torch.cat(logits), torch.cat(targets))
        self.log_dict({f"{split}/{name}": value for name, value in measured.items()}, logger=False)

    def measured(self, losses: Tensor, sizes: Tensor, logits: Tensor, targets: Tensor) -> Outputs:
        """Return the mean loss over images (not over batches), and the metrics, of one pass.

        Args:
            losses: the mean loss of each batch [batches].
            sizes: images in each batch [batches].
            logits: [n, classes].
            targets: [n].
        """
        weights = sizes.double() / sizes.sum()
        self.metrics.reset()
        self.metrics.update(*self.target.measured(logits, targets))
        return {"loss": (losses.double().cpu() @ weights).float(), **self.metrics.compute()}

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls, checkpoint_path: str | Path, map_location: str | torch.device = "cpu"
    ) -> Self:
        """Build the module from the configuration in the checkpoint; see ``overnight.training.load_task``."""
        return load_task(checkpoint_path, map_location)  # type: ignore[return-value]
