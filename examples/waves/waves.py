"""A LightningModule and a LightningDataModule that know nothing of this repository."""

from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss
from torch.optim import Adam, Optimizer
from torch.utils.data import DataLoader, TensorDataset

Batch = tuple[Tensor, Tensor]


class Regressor(L.LightningModule):
    """A network with one hidden layer that learns a number from eight."""

    def __init__(self, lr: float, hidden: int) -> None:
        super().__init__()
        self.lr = lr
        self.net = nn.Sequential(nn.Linear(8, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean squared error."""
        features, targets = batch
        return mse_loss(self.net(features).squeeze(1), targets)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the loss, and log its mean over the epoch."""
        loss = self.loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True)
        return loss

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the loss; it chooses the best epoch."""
        self.log("val_loss", self.loss(batch))

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """Log the loss."""
        self.log("test_loss", self.loss(batch))

    def configure_optimizers(self) -> Optimizer:
        """Return Adam."""
        return Adam(self.parameters(), lr=self.lr)


class Waves(L.LightningDataModule):
    """Eight numbers, and the sum of their sines."""

    def __init__(self, batch_size: int) -> None:
        super().__init__()
        self.batch_size = batch_size

    def loader(self, samples: int, seed: int, *, shuffle: bool = False) -> DataLoader[Any]:
        """Return batches of samples that a seed draws."""
        features = torch.randn(samples, 8, generator=torch.Generator().manual_seed(seed))
        return DataLoader(TensorDataset(features, features.sin().sum(1)), self.batch_size, shuffle=shuffle)

    def train_dataloader(self) -> DataLoader[Any]:
        """Return 1,600 samples in another order each epoch."""
        return self.loader(1600, seed=0, shuffle=True)

    def val_dataloader(self) -> DataLoader[Any]:
        """Return 200 samples."""
        return self.loader(200, seed=1)

    def test_dataloader(self) -> DataLoader[Any]:
        """Return 200 others."""
        return self.loader(200, seed=2)
