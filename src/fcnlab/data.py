"""Data modules for images in memory: no worker processes, no per-image Python."""

from typing import Any, NamedTuple

import lightning as L
import torch

from fcnlab.batches import Batches, Images, InOrder, Shuffled
from fcnlab.splits import stratified_split


class Source(NamedTuple):
    """The official training and test sets as they are stored: pixels uint8, 0 to 255."""

    train: Images
    test: Images


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
