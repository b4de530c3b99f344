"""Images that are made and not read, for a first try and for tests."""

import functools
from typing import Any

import torch

from fcnlab.images import Images, normalize
from overnight.data.batches import Samples
from overnight.data.in_memory import Source


class Synthetic(Images):
    """Ten noisy prototypes in the shapes of FashionMNIST: made in a second, and learnable."""

    all_class_names = tuple("0123456789")

    def __init__(self, *, train_size: int, test_size: int, **settings: Any) -> None:
        self.train_images = train_size  # type: ignore[misc]
        super().__init__(**settings)
        self.train_size, self.test_size = train_size, test_size

    def read(self) -> Source:
        """Make the same images every time."""
        return self.chosen(synthesize(self.train_size, self.test_size))


@functools.lru_cache(maxsize=1)
def synthesize(train_size: int, test_size: int) -> Source:
    """Draw images around ten blurred random prototypes; the classes take turns, so they are balanced."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(10, 1, 7, 7, generator=generator)
    prototypes = torch.nn.functional.interpolate(coarse, size=28, mode="bilinear")

    def draw(size: int) -> Samples:
        labels = torch.arange(size) % 10
        noise = torch.randn(size, 1, 28, 28, generator=generator)
        pixels = (prototypes[labels] + 0.5 * noise).mul_(255).clamp_(0, 255)
        return Samples(pixels.to(torch.uint8), labels)

    return normalize(Source(draw(train_size), draw(test_size)))
