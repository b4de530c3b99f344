"""Layers that were frozen when a checkpoint was saved, in a run that goes on from it."""

from typing import Any

import lightning as L


class Frozen(L.Callback):
    """Freezes and thaws what was so in the checkpoint: who did it may not know it any more, or do it again.

    It acts at the start of the first epoch, ahead of all other callbacks, which then do what is due in it.
    """

    def __init__(self) -> None:
        self.names: set[str] | None = None

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Note the names of the parameters that are not trained."""
        checkpoint["frozen"] = [name for name, p in pl_module.named_parameters() if not p.requires_grad]

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Remember them."""
        self.names = set(checkpoint["frozen"])

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Freeze them, and nothing else."""
        if self.names is None:
            return
        for name, parameter in pl_module.named_parameters():
            parameter.requires_grad_(name not in self.names)
        self.names = None
