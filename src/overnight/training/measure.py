"""A module measured in eval mode on whole splits, by a Trainer that has none of the run's callbacks."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import hydra
import lightning as L
from lightning.pytorch.loggers.logger import DummyLogger
from lightning.pytorch.utilities.model_helpers import is_overridden

from overnight.data.in_memory import InMemoryData
from overnight.records.metric import counterpart
from overnight.training.checkpoints import read_checkpoint, without_warning
from overnight.training.parts import build_task
from overnight.training.results import Measured
from overnight.training.rows import Row, plain_metrics

Config = dict[str, Any]

WITHOUT_CALLBACKS = "Be aware that when using `ckpt_path`"
"""The beginning of Lightning's warning that the callbacks of a checkpoint's run are not there."""

WHOLE = {
    "profiler": {"_target_": "overnight.training.speed.NoProfiler"},
    "enable_progress_bar": False,
    "fast_dev_run": False,
    "inference_mode": False,
}
"""What the measuring Trainer has in place of the run's: nothing is printed, and no batch is left out.

What a module makes in inference mode cannot be changed in training, so a fit does not validate in it either.
"""


class NoLogger(DummyLogger):
    """Logs nothing; ``trainer.log_dir`` is what it was in training."""

    save_dir = "."  # a property in Lightning


def build_measuring_trainer(
    config: Config, callbacks: list[L.Callback] | None = None, **settings: Any
) -> L.Trainer:
    """Build the Trainer of a run, precision and all, but let it save, log and call back nothing.

    Callbacks that average weights, for instance, would put others in place of those that are to be measured.
    There is a logger, which does nothing: many a module draws in its validation, or asks for its folder.
    """
    make = hydra.utils.instantiate(
        config["trainer"] | WHOLE | settings, enable_checkpointing=False, _partial_=True, _convert_="all"
    )
    logger = NoLogger()
    logger.save_dir = settings.get("default_root_dir", ".")
    trainer: L.Trainer = make(callbacks=callbacks, logger=logger)
    return trainer


def measure(
    trainer: L.Trainer,
    task: L.LightningModule,
    data: L.LightningDataModule,
    checkpoint: str | Path,
    tell: Callable[[str], object] | None = None,
) -> Row:
    """Return every metric that the module logs on its validation and test splits; {} if it has neither.

    Where ``data`` holds its training split in memory and the task takes splits, on that, too. The task gets
    the weights of the checkpoint by Lightning's own loading.

    If the test set cannot be measured, ``tell`` is told why; without it, that is raised.
    """
    told = getattr(task, "takes_splits", False)
    with data.evaluating("val", "train") if told and isinstance(data, InMemoryData) else nullcontext():
        metrics = measure_split(trainer, task, data, checkpoint)
    try:
        return of_test(measure_split(trainer, task, data, checkpoint, test=True), metrics) | metrics
    except Exception as error:
        if tell is None:
            raise
        tell(f"the test set could not be measured: {type(error).__name__}: {error}")
        return metrics


def of_test(tested: Row, validated: Row) -> Row:
    """Return what a test logged, without names of validation: many a ``test_step`` is ``validation_step``."""
    own = {name: value for name, value in tested.items() if name not in validated}
    for name in tested.keys() & validated.keys():
        other = counterpart(name, "test")
        own[f"test/{name}" if other in own or other in validated else other] = tested[name]
    return own


def measure_split(
    trainer: L.Trainer,
    task: L.LightningModule,
    data: L.LightningDataModule,
    checkpoint: str | Path | None = None,
    *,
    test: bool = False,
) -> Row:
    """Return every metric that a validation logs, or a test; of the weights in a checkpoint if given.

    {} if there is no such split.
    """
    run, step = (trainer.test, "test_step") if test else (trainer.validate, "validation_step")
    loader = "test_dataloader" if test else "val_dataloader"
    if not has_split(task, data, step, loader):
        return {}
    with without_warning(WITHOUT_CALLBACKS):
        run(task, datamodule=data, ckpt_path=checkpoint, verbose=False, weights_only=True)
    return plain_metrics(trainer.callback_metrics)


def has_split(task: L.LightningModule, data: L.LightningDataModule, step: str, loader: str) -> bool:
    """Tell whether the module has such a step, and somebody the data for it."""
    return is_overridden(step, task) and (is_overridden(loader, data) or is_overridden(loader, task))


def measure_saved(
    trainer: L.Trainer,
    task: L.LightningModule,
    data: L.LightningDataModule,
    config: Config,
    paths: Sequence[Path],
) -> tuple[dict[Path, Measured], str]:
    """Measure each checkpoint in a module built anew, as an evaluation does: it has only what was saved.

    Where a callback has changed the layers of the trained one, their weights do not fit. Then it is the
    trained one that is measured. What makes the measurement say less is returned, too.
    """
    doubts = dict[str, None]()
    tell = doubts.setdefault

    def measured(module: L.LightningModule, path: Path) -> Measured:
        epoch = int(read_checkpoint(path)["history"][-1]["epoch"])
        return Measured(epoch, measure(trainer, module, data, path, tell))

    try:
        found = {path: measured(build_task(config), path) for path in paths}
    except RuntimeError as error:
        tell(f"its weights do not fit into a module that is built anew: {' '.join(str(error).split())}")
        found = {path: measured(task, path) for path in paths}
    return found, "; ".join(doubts)
