"""A module measured in eval mode on whole splits, by a Trainer that has none of the run's callbacks."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import hydra
import lightning as L
from lightning.pytorch.utilities.model_helpers import is_overridden

from overnight.data.in_memory import InMemoryData
from overnight.training.checkpoints import without_warning
from overnight.training.rows import Row, plain_metrics

Config = dict[str, Any]

WITHOUT_CALLBACKS = "Be aware that when using `ckpt_path`"
"""The beginning of Lightning's warning that the callbacks of a checkpoint's run are not there."""

WHOLE = {
    "profiler": {"_target_": "overnight.training.speed.NoProfiler"},
    "logger": {"_target_": "lightning.pytorch.loggers.logger.DummyLogger"},
    "enable_progress_bar": False,
    "fast_dev_run": False,
}
"""What the measuring Trainer has in place of the run's: nothing is printed, and no batch is left out."""


def build_measuring_trainer(
    config: Config, callbacks: list[L.Callback] | None = None, **settings: Any
) -> L.Trainer:
    """Build the Trainer of a run, precision and all, but let it save, log and call back nothing.

    Callbacks that average weights, for instance, would put others in place of those that are to be measured.
    There is a logger, which does nothing, since many a module draws in its validation.
    """
    trainer: L.Trainer = hydra.utils.instantiate(
        config["trainer"] | WHOLE | settings,
        callbacks=callbacks,
        enable_checkpointing=False,
        _convert_="all",
    )
    return trainer


def measure(
    trainer: L.Trainer, task: L.LightningModule, data: L.LightningDataModule, checkpoint: str | Path
) -> Row:
    """Return every metric that the module logs on its validation and test splits; {} if it has neither.

    Where ``data`` holds its training split in memory and the task takes splits, on that, too. The task gets
    the weights of the checkpoint by Lightning's own loading.
    """
    told = getattr(task, "takes_splits", False)
    with data.evaluating("val", "train") if told and isinstance(data, InMemoryData) else nullcontext():
        metrics = measure_validation(trainer, task, data, checkpoint)
    if has_split(task, data, "test_step", "test_dataloader"):
        with without_warning(WITHOUT_CALLBACKS):
            trainer.test(task, datamodule=data, ckpt_path=checkpoint, verbose=False, weights_only=True)
        metrics |= plain_metrics(trainer.callback_metrics)
    return metrics


def measure_validation(
    trainer: L.Trainer, task: L.LightningModule, data: L.LightningDataModule, checkpoint: Any = None
) -> Row:
    """Return every metric that is logged after each epoch, too; of the weights in a checkpoint if given."""
    if not has_split(task, data, "validation_step", "val_dataloader"):
        return {}
    with without_warning(WITHOUT_CALLBACKS):
        trainer.validate(task, datamodule=data, ckpt_path=checkpoint, verbose=False, weights_only=True)
    return plain_metrics(trainer.callback_metrics)


def has_split(task: L.LightningModule, data: L.LightningDataModule, step: str, loader: str) -> bool:
    """Tell whether the module has such a step, and somebody the data for it."""
    return is_overridden(step, task) and (is_overridden(loader, data) or is_overridden(loader, task))
