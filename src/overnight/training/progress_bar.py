"""The progress bar of a single run."""

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
        total = (trainer.max_epochs or 0) * trainer.num_training_batches
        self._first_step, self._start = trainer.global_step, time.perf_counter()
        self._bar = self._progress.add_task(
            "", total=total, epoch="1", reached="", speed=0.0, completed=self._first_step
        )
        self._progress.start()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move the bar, seldom enough to cost nothing."""
        if batch_idx % STEPS_BETWEEN_UPDATES == 0:
            steps = trainer.global_step - self._first_step
            self._progress.update(
                self._bar,
                completed=trainer.global_step,
                epoch=f"{trainer.current_epoch + 1}/{trainer.max_epochs}",
                speed=steps / (time.perf_counter() - self._start),
            )

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show the new value of the metric."""
        value = trainer.callback_metrics.get(self._metric or "")
        for task in self._progress.task_ids if value is not None else ():
            self._progress.update(task, reached=f"{self._metric} {value.item():.4f}")

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the bar away."""
        self._progress.stop()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away before the message of the error."""
        self._progress.stop()
