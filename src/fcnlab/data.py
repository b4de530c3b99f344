"""Images in memory: splits, folds and whole-batch indexing. No worker processes, no per-image Python."""

import functools
import hashlib
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import lightning as L
import numpy as np
import torch
from torch import Tensor


class Images(NamedTuple):
    """Images, float32 [n, 1, height, width], and their labels, int64 [n]."""

    pixels: Tensor
    labels: Tensor


class Source(NamedTuple):
    """The official training and test sets as they are stored: pixels uint8, 0 to 255."""

    train: Images
    test: Images


class Split(NamedTuple):
    """Positions in the official training set, ascending, of the images to train on and to validate on."""

    train: Tensor
    val: Tensor

    def digest(self) -> str:
        """Return a hash that two runs share exactly if they trained and validated on the same images."""
        digest = hashlib.sha256(self.train.numpy().tobytes())
        digest.update(self.val.numpy().tobytes())
        return digest.hexdigest()[:16]


def stratified_split(labels: Tensor, val_size: int, folds: int, fold: int, seed: int) -> Split:
    """Draw a validation part in which every class has its share of the whole, give or take one image.

    With ``folds=1`` it has ``val_size`` images; otherwise it is fold number ``fold`` of ``folds`` equal
    parts, which are disjoint and together cover everything.

    Raises:
        ValueError: nothing would be left to train on.
    """
    if folds == 1 and val_size >= len(labels):
        raise ValueError(
            f"data.val_size={val_size}: needed: fewer than the {len(labels)} training images. "
            f"Type for example: data.val_size={len(labels) // 10}"
        )
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    by_class = shuffled[np.argsort(labels.numpy()[shuffled], kind="stable")]
    every_nth = np.arange(val_size) * len(labels) // val_size
    dealt = every_nth if folds == 1 else np.arange(fold, len(labels), folds)
    is_val = np.zeros(len(labels), dtype=bool)
    is_val[by_class[dealt]] = True
    return Split(torch.from_numpy(np.flatnonzero(~is_val)), torch.from_numpy(np.flatnonzero(is_val)))


class Order(Protocol):
    """The order in which an epoch visits the images; Lightning calls ``set_epoch`` before each epoch."""

    def set_epoch(self, epoch: int) -> None:
        """Go to the order of this epoch."""

    def __len__(self) -> int:
        """Return the number of images."""

    def positions(self) -> Tensor:
        """Return the positions of the images, int64 [n]."""


class InOrder:
    """The same order in every epoch."""

    def __init__(self, positions: Tensor) -> None:
        self._positions = positions

    def set_epoch(self, epoch: int) -> None:
        """Change nothing."""

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._positions)

    def positions(self) -> Tensor:
        """Return the positions as they were given."""
        return self._positions


class Shuffled:
    """A permutation that depends on the seed and the epoch alone.

    It has a generator of its own: nothing that validation, logging or dropout draw can change it.
    """

    def __init__(self, positions: Tensor, seed: int) -> None:
        self._positions = positions
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Go to the permutation of this epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._positions)

    def positions(self) -> Tensor:
        """Return the positions in the order of this epoch."""
        rng = np.random.default_rng([self._seed, self._epoch])
        return self._positions[torch.from_numpy(rng.permutation(len(self._positions)))]


class Batches:
    """An iterable of (pixels, labels) batches, each gathered with one indexing operation.

    ``sampler`` has the name under which Lightning looks for ``set_epoch``; it asks for ``batch_sampler`` too.
    """

    batch_sampler = None

    def __init__(self, images: Images, sampler: Order, batch_size: int) -> None:
        self.images = images
        self.sampler = sampler
        self.batch_size = batch_size

    def __len__(self) -> int:
        """Return the number of batches; the last one may be smaller."""
        return math.ceil(len(self.sampler) / self.batch_size)

    def __iter__(self) -> Iterator[Images]:
        for positions in self.sampler.positions().to(self.images.pixels.device).split(self.batch_size):
            yield Images(*(tensor.index_select(0, positions) for tensor in self.images))


class InMemoryData(L.LightningDataModule):
    """The base of the data modules: a subclass says in ``read`` where its images come from.

    Args:
        val_size: images held out for validation when ``folds=1``.
        split_seed: draws the split; independent of ``seed``, so that runs with other seeds share it.
        folds: 1 for one hold-out split, k for k-fold cross-validation over the official training set.
        fold: which of the folds validates.
        batch_size: images in a training batch.
        eval_batch_size: images in a batch when nothing is learned.
        shuffle: draw a new order in every epoch.
        seed: seed of that order.
        track_test: evaluate on the test set after every epoch too; for reporting only.
    """

    classes: tuple[str, ...] = tuple("0123456789")
    """Their names, in the order of the labels."""

    def __init__(
        self,
        *,
        val_size: int,
        split_seed: int,
        folds: int,
        fold: int,
        batch_size: int,
        eval_batch_size: int,
        shuffle: bool,
        seed: int,
        track_test: bool,
    ) -> None:
        super().__init__()
        self.val_size, self.split_seed, self.folds, self.fold = val_size, split_seed, folds, fold
        self.batch_size, self.eval_batch_size = batch_size, eval_batch_size
        self.shuffle, self.seed, self.track_test = shuffle, seed, track_test

    def read(self) -> Source:
        """Return the normalized official training and test sets."""
        raise NotImplementedError

    def setup(self, stage: str | None = None) -> None:
        """Read and split the images; move them to the trainer's device, once and whole."""
        device = self.trainer.strategy.root_device if self.trainer else torch.device("cpu")
        source = self.read()
        self.split = stratified_split(
            source.train.labels, self.val_size, self.folds, self.fold, self.split_seed
        )
        self.official_train, self.test = (Images(*(t.to(device) for t in part)) for part in source)

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Return the batch as it is: ``setup`` has moved everything already."""
        return batch

    def train_dataloader(self) -> Batches:
        """Return the batches of training: shuffled anew in every epoch."""
        order = Shuffled(self.split.train, self.seed) if self.shuffle else InOrder(self.split.train)
        return Batches(self.official_train, order, self.batch_size)

    def val_dataloader(self) -> list[Batches]:
        """Return what is evaluated after each epoch, in the order of ``task.EVAL_SPLITS``."""
        return self.eval_dataloaders()[: 1 + self.track_test]

    def eval_dataloaders(self) -> list[Batches]:
        """Return the whole of each of ``task.EVAL_SPLITS``, in order."""
        everything = torch.arange(len(self.test.labels))
        return [
            Batches(self.official_train, InOrder(self.split.val), self.eval_batch_size),
            Batches(self.test, InOrder(everything), self.eval_batch_size),
            Batches(self.official_train, InOrder(self.split.train), self.eval_batch_size),
        ]

    def describe(self) -> dict[str, Any]:
        """Return what a run's record says of its data."""
        return {
            "train": len(self.split.train),
            "val": len(self.split.val),
            "test": len(self.test.labels),
            "split": self.split.digest(),
            "folds": self.folds,
            "fold": self.fold,
        }


def normalize(source: Source) -> Source:
    """Scale to mean 0 and standard deviation 1, as measured on the official training set."""
    train, test = (pixels.to(torch.float32).div_(255) for pixels in (source.train.pixels, source.test.pixels))
    mean, std = train.mean(), train.std()
    scaled = [pixels.sub_(mean).div_(std) for pixels in (train, test)]
    return Source(Images(scaled[0], source.train.labels), Images(scaled[1], source.test.labels))


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
