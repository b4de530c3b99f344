"""The progress bar of a single run, and the profiler that is off."""

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import lightning as L
from lightning.pytorch.profilers import PassThroughProfiler
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

STEPS_BETWEEN_UPDATES = 50

NOTHING = nullcontext()


class NoProfiler(PassThroughProfiler):
    """Measures nothing, and does not open a generator for each of the forty hooks of a step to do so."""

    def profile(self, action_name: str) -> AbstractContextManager[None]:  # type: ignore[override]
        """Return a context that does nothing: the same one every time."""
        return NOTHING


class ProgressBar(L.Callback):
    """One bar for the whole fit: epoch, val/acc, images a second, time left.

    Args:
        enabled: show it, if the output is a terminal at all.
    """

    def __init__(self, *, enabled: bool) -> None:
        console = Console()
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("val/acc {task.fields[accuracy]}  {task.fields[speed]:,.0f} images/s"),
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
            "", total=total, epoch="1", accuracy="?", speed=0.0, completed=self._first_step
        )
        self._progress.start()

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move the bar, seldom enough to cost nothing."""
        if batch_idx % STEPS_BETWEEN_UPDATES == 0:
            images = (trainer.global_step - self._first_step) * len(batch[0])
            self._progress.update(
                self._bar,
                completed=trainer.global_step,
                epoch=f"{trainer.current_epoch + 1}/{trainer.max_epochs}",
                speed=images / (time.perf_counter() - self._start),
            )

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Show the new accuracy."""
        for task in self._progress.task_ids:
            self._progress.update(task, accuracy=f"{trainer.callback_metrics['val/acc'].item():.4f}")

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Take the bar away."""
        self._progress.stop()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Take the bar away before the message of the error."""
        self._progress.stop()
