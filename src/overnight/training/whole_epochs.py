"""Validation of the weights that an epoch ends with, wherever else Lightning validates."""

from typing import Any

import lightning as L


class WholeEpochs(L.Callback):
    """Lets Lightning validate the weights that an epoch ends with.

    By itself it validates where ``val_check_interval`` says, which may not be the end of the epoch, and not
    at the last of ``max_steps``.
    """

    _val_check_batch: int | float | None = None

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Hide ``max_steps`` while a fit is resumed: with it, Lightning would end the last epoch again."""
        self._max_steps = trainer.max_steps
        if trainer.ckpt_path:
            trainer.fit_loop.epoch_loop.max_steps = -1

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Put back what was hidden."""
        trainer.fit_loop.epoch_loop.max_steps = self._max_steps

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Validate after this batch, too, if it is the last one."""
        if trainer.is_last_batch and trainer.val_check_batch is not None:
            self._val_check_batch = trainer.val_check_batch
            trainer.val_check_batch = 1
        trainer.should_stop |= 0 < trainer.max_steps <= trainer.global_step

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Validate where ``val_check_interval`` says; loaders that are made anew may say otherwise later."""
        if self._val_check_batch is not None:
            trainer.val_check_batch, self._val_check_batch = self._val_check_batch, None
