"""The LightningModule: a net, how it learns, and what is measured while it does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer
from torchmetrics import Metric, MetricCollection

from fcnlab.augment import Augmentation, Augmentations, Unaugmented
from fcnlab.targets import Classes, Numbers
from overnight.config.errors import ConfigError
from overnight.data.in_memory import split_name
from overnight.training.checkpoints import load_task
from overnight.training.speed import QuickHooks
from overnight.training.trust import buildable

Batch = tuple[Tensor, Tensor]
Outputs = dict[str, Tensor]


@buildable
@dataclass(frozen=True)
class Schedule:
    """A learning-rate scheduler and how Lightning is to step it.

    Args:
        scheduler: makes the scheduler for an optimizer.
        interval: step it after every "epoch" or every "step".
        horizon: names of the scheduler's arguments that take the number of optimizer steps of the fit.
        monitor: the metric that a plateau scheduler watches; the others ignore it.
    """

    scheduler: Callable[..., Any]
    interval: str = "epoch"
    horizon: Sequence[str] = ()
    monitor: str = "val/loss"

    def configure(self, optimizer: Optimizer, steps: Callable[[], int]) -> dict[str, Any]:
        """Return Lightning's description of the scheduler."""
        lengths = {argument: steps() for argument in self.horizon}
        return {
            "scheduler": self.scheduler(optimizer, **lengths),
            "interval": self.interval,
            "monitor": self.monitor,
        }


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
        target: what the targets are; see ``fcnlab.targets``.

    Raises:
        ConfigError: the optimizer or its scheduler cannot be built.
    """

    takes_splits: ClassVar = True
    """``validation_step`` tells validation, test and training data apart: see ``split_name``."""

    stacked_settings: ClassVar = (
        *(
            "seed",
            "lr",
            "weight_decay",
            "l1",
            "init",
            "optimizer",
            "scheduler",
            "regularization",
            "callbacks",
        ),
        *("data.seed", "data.split_seed", "data.fold", "model.weight_init", "model.bias_init"),
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
        steps = lambda: int(self.trainer.estimated_stepping_batches)  # noqa: E731
        return {"optimizer": optimizer, "lr_scheduler": self.schedule.configure(optimizer, steps)}  # type: ignore[return-value]

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
        """Return what is measured of one batch."""
        images, targets = batch
        logits = self.net(images)
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


def decay_matrices(optimizer: Optimizer) -> Optimizer:
    """Let weight decay, where it is on, apply to weight matrices only: not to biases, scales and shifts."""
    (group,) = optimizer.param_groups
    if group.get("weight_decay"):
        others = [parameter for parameter in group["params"] if parameter.ndim < 2]  # noqa: PLR2004
        group["params"] = [parameter for parameter in group["params"] if parameter.ndim > 1]
        optimizer.add_param_group({"params": others, "weight_decay": 0.0})
    return optimizer


def refuse_optimizer(optimizer: Callable[..., Optimizer], net: nn.Module) -> None:
    """Build the optimizer once, so that a wrong setting is refused before any data is read.

    Raises:
        ConfigError: it cannot be built.
    """
    try:
        optimizer(net.parameters())
    except (TypeError, ValueError) as error:
        given = getattr(optimizer, "keywords", {})
        raise ConfigError(
            f"optimizer: {error}. Given: {given}. Needed: what this optimizer takes. "
            f"Type for example: optimizer=adam, and no optimizer.KEY=VALUE"
        ) from error


def refuse_schedule(schedule: Schedule, optimizer: Optimizer) -> None:
    """Build the scheduler once, for a run of some length, so that a wrong setting is refused.

    Raises:
        ConfigError: it cannot be built.
    """
    try:
        schedule.configure(optimizer, lambda: 1000)
    except (KeyError, TypeError, ValueError) as error:
        given = getattr(schedule.scheduler, "keywords", {})
        raise ConfigError(
            f"scheduler: {error}. Given: {given}. Needed: what this scheduler takes. "
            f"Type for example: scheduler=cosine, and no scheduler.scheduler.KEY=VALUE"
        ) from error
