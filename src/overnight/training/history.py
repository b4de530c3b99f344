"""The history of a fit: a row for each whole epoch, with every metric that the module logged."""

import logging
import time
from collections.abc import Iterable, Mapping
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint
from torch import Tensor

from overnight.config.errors import ConfigError
from overnight.config.refusals import CALLBACKS
from overnight.records.identity import fingerprint, sources, without_keys
from overnight.training.foreign_data import tell_of_other_batches
from overnight.training.generators import generator_states, restore_generators
from overnight.training.optimizers import tell_of_others
from overnight.training.plain import is_plain
from overnight.training.rows import Row, check_loss, check_row, draw_row, plain_metrics
from overnight.training.trust import tell_of_unbuildable

log = logging.getLogger(__name__)


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
    """

    def __init__(self, config: dict[str, Any]) -> None:
        self.config, self.fingerprint = config, fingerprint(config)
        self.rows: list[Row] = []
        self.validated = False
        self.sources = sources(config)
        self._known: dict[str, Tensor] = {}
        self._trained: Row = {}
        self._told: set[str] = set()
        self._reached: Row = {}

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Refuse what cannot be honoured among the callbacks that the module brings along (ConfigError)."""
        for callback in trainer.callbacks:  # type: ignore[attr-defined]
            for kind in CALLBACKS.keys() & {each.__name__ for each in type(callback).__mro__}:
                where = f"{type(pl_module).__name__}.configure_callbacks"
                raise ConfigError(f"{where} gives a {kind}: {CALLBACKS[kind]}")

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Let plateau schedulers wait for validations; make up for a step of theirs that no checkpoint holds.

        Lightning steps them after it saves, and after every epoch unless it is told otherwise.
        """
        tell_of_others(self.config["task"], trainer.optimizers)
        tell_of_unbuildable(self.config)
        if trainer.ckpt_path:
            tell_of_other_batches(trainer)
        done = int(self.rows[-1]["epoch"] or 0)
        for config in trainer.lr_scheduler_configs:
            if not config.reduce_on_plateau or config.interval != "epoch":
                continue
            watched = str(config.monitor)
            if watched in self.rows[0]:
                config.frequency = max(config.frequency, trainer.check_val_every_n_epoch or 1)
            value = self.rows[-1].get(watched)
            if trainer.ckpt_path and value is not None and not done % config.frequency:
                pl_module.lr_scheduler_step(config.scheduler, torch.tensor(value))

    def _newly_logged(self, trainer: L.Trainer) -> dict[str, Tensor]:
        """Return what was logged since this was last asked.

        Lightning keeps old values until the fit ends; what is logged anew is another tensor.
        """
        now = dict(trainer.callback_metrics)
        new = {name: value for name, value in now.items() if self._known.get(name) is not value}
        self._known = now
        return new

    def _of_training(self, trainer: L.Trainer) -> Row:
        """Return the same without what the last validation logged: another callback may have looked at it."""
        new = plain_metrics(self._newly_logged(trainer))
        return {name: value for name, value in new.items() if repr(self._reached.get(name)) != repr(value)}

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Start the clock of the epoch, in which nothing is logged yet."""
        self._start, self.validated = time.perf_counter(), False
        self._trained, self._reached = {}, {}
        self._newly_logged(trainer)

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Stop the fit at the first loss that is not finite (DivergedError)."""
        self.validated = False  # the weights are other ones now
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if isinstance(loss, Tensor):
            check_loss(loss.item(), trainer.current_epoch + 1, batch_idx + 1)

    def on_validation_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep what training has logged so far, of single steps perhaps."""
        self._trained |= self._of_training(trainer)

    def on_validation_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep what this validation logged."""
        self._reached = plain_metrics(self._newly_logged(trainer))
        self.validated = True

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Add the row of the epoch, and draw what Lightning itself does not draw.

        Raises:
            ConfigError: the metric that is to choose is one of training and one of validation.
            DivergedError: a metric that had been finite is not any more.
        """
        trained = self._trained | self._of_training(trainer)
        both = trained.keys() & (self.rows[0].keys() | self._reached.keys())
        refuse_ambiguous(both - self._told, self.config["metric"])
        self._told |= both
        groups = [group for optimizer in trainer.optimizers for group in optimizer.param_groups]
        self.add(
            without_keys(trained, (*both,)) | (self._reached if self.validated else {}),
            epoch=trainer.current_epoch + 1,
            lr=groups[0].get("lr") if groups else None,
            seconds=time.perf_counter() - self._start,
        )
        draw_row(self.rows[-1], trainer.loggers, already=set(trainer.logged_metrics))
        check_row(self.rows)

    def add(self, metrics: Row, *, epoch: int, lr: float | None = None, seconds: float | None = None) -> None:
        """Add the row of an epoch."""
        self.rows.append({"epoch": epoch, **metrics, "lr": lr, "seconds": seconds})

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
        samples = getattr(trainer.datamodule, "samples_digest", "")  # type: ignore[attr-defined]
        checkpoint |= {"sources": self.sources, "samples": samples}
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


def refuse_ambiguous(names: Iterable[str], metric: str | None) -> None:
    """Refuse a metric that training and validation log under one name; of others, say so (ConfigError)."""
    for name in names:
        what = f"{name}: it is logged in training and in validation under one name"
        needed = f"Needed: a name for each, such as train/{name} and val/{name}"
        if name == metric:
            raise ConfigError(f"metric={what}. {needed}")
        log.warning("%s; the history has that of validation. %s", what, needed)
