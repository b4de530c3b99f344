"""Images that are made and not read, for a first try and for tests."""

import functools

import torch

from fcnlab.batches import Images
from fcnlab.data import InMemoryData, Source, normalize


class Synthetic(InMemoryData):
    """Ten noisy prototypes in the shapes of FashionMNIST: made in a second, and learnable."""

    def __init__(self, *, train_size: int, test_size: int, **kwargs: int) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.train_size, self.test_size = train_size, test_size

    def read(self) -> Source:
        """Make the same images every time."""
        return synthesize(self.train_size, self.test_size)


@functools.lru_cache(maxsize=1)
def synthesize(train_size: int, test_size: int) -> Source:
    """Draw images around ten blurred random prototypes; the classes take turns, so they are balanced."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(10, 1, 7, 7, generator=generator)
    prototypes = torch.nn.functional.interpolate(coarse, size=28, mode="bilinear")

    def draw(size: int) -> Images:
        labels = torch.arange(size) % 10
        noise = torch.randn(size, 1, 28, 28, generator=generator)
        pixels = (prototypes[labels] + 0.5 * noise).mul_(255).clamp_(0, 255)
        return Images(pixels.to(torch.uint8), labels)

    return normalize(Source(draw(train_size), draw(test_size)))
