"""Data modules as others write them: plain Lightning, on PyTorch's own DataLoader."""

import random
from typing import TYPE_CHECKING, Any, cast

import lightning as L
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, TensorDataset, random_split

if TYPE_CHECKING:
    from collections.abc import Sized

INPUTS = 4
Pair = tuple[Tensor, Tensor]


def line(samples: int, seed: int) -> TensorDataset:
    """Return points [samples, 4] and a noisy linear function of them [samples, 1]."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, INPUTS, generator=generator)
    return TensorDataset(x, x.sum(1, keepdim=True) + 0.1 * torch.randn(samples, 1, generator=generator))


class OnlyTraining(L.LightningDataModule):
    """Thirty points, in PyTorch's own DataLoader."""

    def __init__(self, *, shuffle: bool = False, workers: int = 0) -> None:
        super().__init__()
        self.shuffle, self.workers = shuffle, workers

    def train_dataloader(self) -> DataLoader[Any]:
        return self.loader(line(30, seed=0), shuffle=self.shuffle)

    def loader(self, data: Dataset[Any], *, shuffle: bool = False) -> DataLoader[Any]:
        return DataLoader(data, batch_size=8, shuffle=shuffle, num_workers=self.workers)


class Line(OnlyTraining):
    """The same with points for validation, test and prediction."""

    def val_dataloader(self) -> Any:
        return self.loader(line(20, seed=1))

    def test_dataloader(self) -> Any:
        return self.loader(line(20, seed=2))

    def predict_dataloader(self) -> Any:
        return self.test_dataloader()


class ShuffledLine(Line):
    """Predicts the test set in another order each time."""

    def predict_dataloader(self) -> Any:
        return self.loader(line(20, seed=2), shuffle=True)


class TwoValidations(Line):
    """Validates on two sets."""

    def val_dataloader(self) -> Any:
        return [self.loader(line(20, seed=1)), self.loader(line(12, seed=3))]


class Named(Dataset[dict[str, Tensor]]):
    """Samples as dicts."""

    def __init__(self, pairs: TensorDataset) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        x, y = self.pairs[index]
        return {"x": x, "y": y}


class NamedLine(Line):
    """The same samples, but as dicts."""

    def loader(self, data: Dataset[Any], *, shuffle: bool = False) -> DataLoader[Any]:
        return super().loader(Named(cast("TensorDataset", data)), shuffle=shuffle)


class Noisy(Dataset[Pair]):
    """Augments each sample by numpy's and Python's global generators."""

    def __init__(self, pairs: Dataset[Any]) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(cast("Sized", self.pairs))

    def __getitem__(self, index: int) -> Pair:
        x, y = self.pairs[index]
        return x + np.random.normal(scale=0.1), y + random.gauss(0, 0.1)  # noqa: NPY002


class NoisyLine(Line):
    """The same samples, other ones each time they are asked for."""

    def train_dataloader(self) -> DataLoader[Any]:
        return self.loader(Noisy(line(30, seed=0)), shuffle=True)


class Drawn(Line):
    """Splits at random each time it is set up, with a validation set for the stage ``fit`` only."""

    def setup(self, stage: str) -> None:
        if stage == "fit":
            self.parts = random_split(line(50, seed=0), [30, 20])

    def train_dataloader(self) -> DataLoader[Any]:
        return self.loader(self.parts[0])

    def val_dataloader(self) -> Any:
        return self.loader(self.parts[1])
