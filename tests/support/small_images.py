"""Forty small images with their labels, and the augmentations that are typed."""

from collections.abc import Callable

import hydra
import pytest
import torch
from torch import Tensor

from experiments import Compose
from overnight.training.augmentation import Augmentations

BLACK = -0.8
Build = Callable[..., Augmentations]


@pytest.fixture
def images() -> Tensor:
    """Return 40 images with two channels; some pixel of each channel is black."""
    drawn = torch.rand(40, 2, 12, 9, generator=torch.Generator().manual_seed(0)) + BLACK
    drawn[3, :, 4, 5] = BLACK
    return drawn


@pytest.fixture
def labels() -> Tensor:
    return torch.arange(40) % 10


@pytest.fixture
def augmentations(compose: Compose) -> Build:
    """Give what is typed, get it built."""

    def built(*overrides: str, seed: int = 0) -> Augmentations:
        config = compose("model.out_features=10", *overrides)["augmentation"]
        return Augmentations(hydra.utils.instantiate(config), seed)

    return built


def drawn(*rows: float | Tensor, batch: int = 40) -> Tensor:
    """Return the numbers that an augmentation is given, each the same for all images or one for each."""
    return torch.stack([torch.as_tensor(row, dtype=torch.float32).expand(batch) for row in rows])
