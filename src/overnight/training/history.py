"""The history of a fit: a row for each whole epoch, with every metric that the module logged."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor

from overnight.records.identity import fingerprint, sources
from overnight.training.generators import generator_states, restore_generators
from overnight.training.rows import OWN, Row, check_loss, check_row, draw_row, plain_metrics


class History(Checkpoint):
    """Writes the history of any module, and puts what a fit needs to go on into each checkpoint.

    Lightning calls callbacks of this base class last, when everything was logged. Among those this one is
    the first, so that a checkpoint of an epoch holds the row of this epoch.

    Args:
        config: the resolved configuration; kept in checkpoints.

    Attributes:
        rows: one an epoch; row 0 is measured before training.
        validated: whether validation has seen the weights as they are now.
        sources: the code, see ``overnight.records.identity``.
        samples: a hash of the data, "" where it has none.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.fingerprint = config, fingerprint(config)
        self.rows: list[Row] = []
        self.validated = False
        self.sources, self.samples = sources(config), ""
        self._of_validation: set[str] = set()

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Draw the rows of the checkpoint in a CSV file that has none of them: in another folder."""
        self.samples = getattr(trainer.datamodule, "samples_digest", "")  # type: ignore[attr-defined]
        loggers = [logger for logger in trainer.loggers if isinstance(logger, CSVLogger)]
        empty = [each for each in loggers if not Path(str(each.log_dir), "metrics.csv").is_file()]
        for row in self.rows if trainer.ckpt_path else ():
            draw_row(row, empty, already=set())

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Let plateau schedulers wait for validations; make up for a step of theirs that no checkpoint holds.

        Lightning steps them after it saves, and after every epoch unless it is told otherwise.
        """
        for config in trainer.lr_scheduler_configs:
            watched = str(config.monitor) if config.reduce_on_plateau else ""
            if watched in self.rows[0] and config.interval == "epoch":
                config.frequency = max(config.frequency, trainer.check_val_every_n_epoch or 1)
            value = self.rows[-1].get(watched) if trainer.ckpt_path else None
            if value is not None:
                pl_module.lr_scheduler_step(config.scheduler, torch.tensor(value))

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock of the epoch."""
        self._start, self.validated = time.perf_counter(), False

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop the fit at the first loss that is not finite.

        Raises:
            DivergedError: it is not.
        """
        self.validated = False  # the weights are other ones now
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, Tensor):
            check_loss(loss.item(), trainer.current_epoch + 1, batch_idx + 1)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Note which metrics there were before."""
        self._before = set(trainer.callback_metrics)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep what this validation logged; a metric of an earlier one must not pass for this epoch's."""
        metrics = plain_metrics(trainer.callback_metrics)
        self._of_validation |= metrics.keys() - self._before
        self._reached = {name: metrics[name] for name in metrics if name in self._of_validation}
        self.validated = True

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add the row of the epoch, and draw what Lightning itself does not draw.

        Raises:
            DivergedError: a metric that had been finite is not any more.
        """
        metrics = plain_metrics(trainer.callback_metrics)
        trained = {name: value for name, value in metrics.items() if name not in self._of_validation}
        self.add(
            trained | (self._reached if self.validated else {}),
            epoch=trainer.current_epoch + 1,
            lr=trainer.optimizers[0].param_groups[0]["lr"] if trainer.optimizers else None,
            seconds=time.perf_counter() - self._start,
        )
        draw_row(self.rows[-1], trainer.loggers, already=set(trainer.logged_metrics))
        check_row(self.rows)

    def add(self, metrics: Row, *, epoch: int, lr: float | None = None, seconds: float | None = None) -> None:
        """Add the row of an epoch."""
        measured = {name: value for name, value in metrics.items() if name not in OWN}
        self.rows.append({"epoch": epoch, **measured, "lr": lr, "seconds": seconds})

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add configuration, history and generators, so that the file alone is enough to go on.

        What was logged before is written first: a logger that keeps its last lines would lose them in a kill.

        Hyperparameters that are no plain values (modules, partials) leave the checkpoint: with them it could
        not be loaded with ``weights_only=True``, and the configuration builds them again.
        """
        for logger in trainer.loggers:
            logger.save()
        checkpoint |= {"config": self.config, "fingerprint": self.fingerprint, "history": self.rows}
        checkpoint |= {"sources": self.sources, "samples": self.samples}
        checkpoint["generators"] = generator_states()
        for key in ("hyper_parameters", "datamodule_hyper_parameters"):
            if key in checkpoint:
                checkpoint[key] = {name: v for name, v in dict(checkpoint[key]).items() if is_plain(v)}
        checkpoint.pop("hparams_type", None)  # a class, where the hyperparameters were a DictConfig

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Go on with the history and the random numbers of the checkpoint."""
        self.rows = list(checkpoint["history"])
        restore_generators(checkpoint["generators"])


def is_plain(value: Any) -> bool:
    """Tell whether a value consists of numbers, texts, lists and dicts alone."""
    if isinstance(value, dict):
        return all(is_plain(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return all(map(is_plain, value))
    return value is None or isinstance(value, bool | int | float | str)


class WholeEpochs(L.Callback):
    """Lets Lightning validate the weights that an epoch ends with.

    By itself it validates where ``val_check_interval`` says, which may not be the end of the epoch, and not
    at the last of ``max_steps``.
    """

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Hide ``max_steps`` while a fit is resumed: with it, Lightning would end the last epoch again."""
        self._max_steps = trainer.max_steps
        if trainer.ckpt_path:
            trainer.fit_loop.epoch_loop.max_steps = -1

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Put back what was hidden."""
        trainer.fit_loop.epoch_loop.max_steps = self._max_steps
        self._val_check_batch = trainer.val_check_batch

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Validate where ``val_check_interval`` says."""
        trainer.val_check_batch = self._val_check_batch

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Validate after this batch, too, if it is the last one."""
        if trainer.is_last_batch and trainer.val_check_batch is not None:
            trainer.val_check_batch = 1
        trainer.should_stop |= 0 < trainer.max_steps <= trainer.global_step
