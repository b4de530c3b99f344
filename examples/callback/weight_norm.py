"""A callback of one's own: plain Lightning."""

import lightning as L
import torch


class WeightNorm(L.Callback):
    """Logs the length of the vector of all weights after each epoch."""

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Log it, as ``weight_norm``."""
        weights = [parameter.detach().flatten() for parameter in pl_module.parameters()]
        pl_module.log("weight_norm", torch.cat(weights).norm())
