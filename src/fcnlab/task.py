"""The LightningModule: a net, how it learns, and what is measured while it does."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import hydra
import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.optim import Optimizer

from fcnlab.checkpoints import read_checkpoint
from fcnlab.history import Row, check_loss, check_row, draw
from fcnlab.outcomes import Outcomes

EVAL_SPLITS = ("val", "test", "train")
"""What the evaluation dataloaders hold, in their order."""

Batch = tuple[Tensor, Tensor]


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


class Classifier(L.LightningModule):
    """Trains a net and logs ``{train,val,test}/{loss,acc}`` and ``lr`` every epoch.

    Args:
        net: images [batch, ...] to logits [batch, classes].
        optimizer: makes the optimizer for the net's parameters.
        schedule: the learning-rate scheduler.
        loss: (logits, labels) to a scalar; what is minimized.
        eval_loss: the same without regularization; what is reported for validation and test.
        penalty: (loss, net) to the loss that is minimized; its curve shows the loss without.

    Attributes:
        history: one row an epoch; row 0 is measured before training. Kept in checkpoints.
        metrics: what was measured since the last row, by name.
        config: the resolved configuration; kept in checkpoints, and enough to build the module again.
    """

    def __init__(
        self,
        net: nn.Module,
        optimizer: Callable[..., Optimizer],
        schedule: Schedule,
        loss: nn.Module,
        eval_loss: nn.Module,
        penalty: Callable[[Tensor, nn.Module], Tensor],
    ) -> None:
        super().__init__()
        self.net, self.loss, self.eval_loss, self.penalty = net, loss, eval_loss, penalty
        self.optimizer, self.schedule = optimizer, schedule
        self.history: list[Row] = []
        self.metrics: Row = {}
        self.config: dict[str, Any] = {}
        self._trained = Outcomes()
        self._evaluated: dict[str, Outcomes] = {}
        self._epoch_start = 0.0

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; the one that Lightning sets forty times a step without nn.Module's search.

        It is the name of the hook that runs: never a parameter, a buffer or a module. Saves 4 % of an epoch.
        """
        if name == "_current_fx_name":
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits [batch, classes]."""
        logits: Tensor = self.net(images)
        return logits

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build the optimizer, and the scheduler for the length of this fit."""
        optimizer = self.optimizer(self.net.parameters())
        steps = lambda: int(self.trainer.estimated_stepping_batches)  # noqa: E731
        return {"optimizer": optimizer, "lr_scheduler": self.schedule.configure(optimizer, steps)}  # type: ignore[return-value]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss of one batch, penalty included.

        Raises:
            DivergedError: the loss is not finite.
        """
        images, labels = batch
        logits = self.net(images)
        loss: Tensor = self.loss(logits, labels)
        check_loss(loss.item(), self.current_epoch + 1, batch_idx + 1)
        self._trained.add(loss, logits, labels)
        return self.penalty(loss, self.net)

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Measure one batch of one of the ``EVAL_SPLITS``."""
        images, labels = batch
        logits = self.net(images)
        outcomes = self._evaluated.setdefault(EVAL_SPLITS[dataloader_idx], Outcomes())
        outcomes.add(self.eval_loss(logits, labels), logits, labels)

    def on_train_start(self) -> None:
        """Make up for the step of a plateau scheduler that Lightning takes after saving a checkpoint."""
        if self.trainer.ckpt_path:
            for config in self.trainer.lr_scheduler_configs:
                if config.reduce_on_plateau:
                    config.scheduler.step(torch.tensor(self.history[-1][str(config.monitor)]))  # type: ignore[arg-type]

    def on_train_epoch_start(self) -> None:
        """Start the clock of the epoch."""
        self._trained = Outcomes()
        self._epoch_start = time.perf_counter()

    def on_validation_epoch_start(self) -> None:
        """Forget the last evaluation."""
        self._evaluated = {}

    def on_validation_epoch_end(self) -> None:
        """Log the loss and the accuracy of each split that was evaluated."""
        self._log(self._evaluated)

    def on_train_epoch_end(self) -> None:
        """Log the epoch's running means and add its row to the history."""
        self._log({"train": self._trained})
        self.record(
            epoch=self.current_epoch + 1,
            lr=self.trainer.optimizers[0].param_groups[0]["lr"],
            seconds=time.perf_counter() - self._epoch_start,
        )

    def _log(self, outcomes: dict[str, Outcomes]) -> None:
        means = {
            f"{split}/{name}": value for split, o in outcomes.items() for name, value in o.mean().items()
        }
        self.metrics |= means
        self.log_dict(means, logger=False)

    def record(self, *, epoch: int, lr: float | None = None, seconds: float | None = None) -> None:
        """Add the metrics of this epoch to the history, and draw them over the epochs in every logger.

        Raises:
            DivergedError: one of them is not finite.
        """
        row = self.note(epoch=epoch, lr=lr, seconds=seconds)
        draw(row, self.loggers)
        check_row(row)

    def note(self, *, epoch: int, lr: float | None = None, seconds: float | None = None) -> Row:
        """Add the metrics of this epoch to the history as a row, and return that."""
        names = [f"{split}/{name}" for split in ("train", "val", "test") for name in ("loss", "acc")]
        metrics = {name: self.metrics.get(name) for name in names} | {"lr": lr}
        self.metrics = {}
        self.history.append({"epoch": epoch, **metrics, "seconds": seconds})
        return self.history[-1]

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add configuration, history and the generators' states (dropout draws from them).

        Plain dicts, lists and tensors, so that ``weights_only=True`` can load them.
        """
        checkpoint |= {"config": self.config, "history": self.history, "generators": generator_states()}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the history and the random numbers of the checkpoint."""
        self.history = list(checkpoint["history"])
        torch.set_rng_state(checkpoint["generators"]["cpu"].cpu())
        if torch.cuda.is_available() and checkpoint["generators"]["cuda"]:
            torch.cuda.set_rng_state_all([state.cpu() for state in checkpoint["generators"]["cuda"]])

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls, checkpoint_path: str | Path, map_location: str | torch.device = "cpu"
    ) -> Self:
        """Build the module from the configuration in the checkpoint, and load its weights.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: the file is not a checkpoint of fcnlab, or is damaged.
        """
        checkpoint = read_checkpoint(checkpoint_path, map_location)
        task: Self = hydra.utils.instantiate(checkpoint["config"]["task"], _convert_="all")
        task.load_state_dict(checkpoint["state_dict"])
        task.config, task.history = checkpoint["config"], checkpoint["history"]
        return task.to(map_location)


def generator_states() -> dict[str, Any]:
    """Return the states of torch's generators: of the CPU, and of each GPU in use."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}
