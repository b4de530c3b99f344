"""The progress bar of a single run."""

import math
import time
from typing import Any

import lightning as L
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

STEPS_BETWEEN_UPDATES = 50


class ProgressBar(L.Callback):
    """One bar for the whole fit: epoch, the metric that chooses the best, steps a second, time left.

    Args:
        enabled: show it, if the output is a terminal at all.
        metric: to show beside it.
    """

    def __init__(self, *, enabled: bool, metric: str | None) -> None:
        self._metric = metric
        console = Console()
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.fields[reached]}  {task.fields[speed]:,.0f} steps/s"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            refresh_per_second=2,  # each drawing takes some milliseconds away from the training
            disable=not (enabled and console.is_terminal),
        )

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Open the bar, where a resumed fit begins."""
        each = trainer.num_training_batches
        total = (trainer.max_epochs or 0) * each if math.isfinite(each) else None
        self._steps, self._start = 0, time.perf_counter()
        self._first_step = trainer.current_epoch * int(each) if total else 0
        self._bar = self._progress.add_task(
            "", total=total, epoch="1", reached="", speed=0.0, completed=self._first_step
        )
        self._progress.start()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move the bar, seldom enough to cost nothing."""
        self._steps += 1  # of the loop: the optimizers may have taken more, or fewer
        if batch_idx % STEPS_BETWEEN_UPDATES == 0:
            self._progress.update(
                self._bar,
                completed=self._first_step + self._steps,
                epoch=f"{trainer.current_epoch + 1}/{trainer.max_epochs}",
                speed=self._steps / (time.perf_counter() - self._start),
            )

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show the new value of the metric."""
        value = trainer.callback_metrics.get(self._metric or "")
        reached = "" if value is None else f"{self._metric} {value.item():.4f}"
        for task in self._progress.task_ids:
            self._progress.update(task, reached=reached)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the bar away."""
        self._progress.stop()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away before the message of the error."""
        self._progress.stop()
