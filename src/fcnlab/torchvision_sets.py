"""Image sets that torchvision reads and downloads, with their official test sets."""

import functools
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import Tensor

from fcnlab.images import Images, normalize
from overnight.data.batches import Samples
from overnight.data.in_memory import Source


class TorchvisionSet(Images):
    """The base: a subclass has the name of one of torchvision's classes in ``source``.

    Args:
        root: torchvision's folder; where the files are not in it, they are downloaded into it.
        settings: of ``Images``.
    """

    source: ClassVar[str]

    def __init__(self, *, root: str, **settings: Any) -> None:
        super().__init__(**settings)
        self.root = Path(root)

    def read(self) -> Source:
        """Read the images, or take them from the run before in this process.

        Raises:
            FileNotFoundError: they are not there, and cannot be downloaded.
        """
        return self.chosen(load(self.source, self.root.resolve()))


class MNIST(TorchvisionSet):
    """Handwritten digits (LeCun et al. 1998)."""

    source = "MNIST"
    all_class_names = tuple("0123456789")


class KMNIST(TorchvisionSet):
    """Cursive Japanese characters (Clanuwat et al. 2018, arXiv:1812.01718)."""

    source = "KMNIST"
    all_class_names = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")


class CIFAR10(TorchvisionSet):
    """Small colour photographs (Krizhevsky 2009)."""

    source = "CIFAR10"
    shape = (3, 32, 32)
    train_images = 50_000
    all_class_names = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )


@functools.lru_cache(maxsize=1)
def load(source: str, root: Path) -> Source:
    """Let torchvision read both parts, and normalize them."""
    return normalize(Source(*(samples(source, root, train=train) for train in (True, False))))


def samples(source: str, root: Path, *, train: bool) -> Samples:
    """Return one part as torchvision has it, which verifies what it downloads; else a FileNotFoundError."""
    from torchvision import datasets  # noqa: PLC0415 - 1.6 s, for those who ask only

    read = getattr(datasets, source)
    try:
        part = read(root, train=train, download=True)
    except (RuntimeError, OSError) as error:
        raise FileNotFoundError(
            f"data.root={root}: {source} is not there, and torchvision could not download it ({error}). "
            f"Type: data.root=FOLDER of a copy that you have"
        ) from error
    return Samples(channels_first(torch.as_tensor(part.data)), torch.as_tensor(part.targets).long())


def channels_first(pixels: Tensor) -> Tensor:
    """Return images [n, height, width] or [n, height, width, channels] as [n, channels, height, width]."""
    return pixels[:, None] if pixels.ndim == 3 else pixels.permute(0, 3, 1, 2).contiguous()  # noqa: PLR2004
