"""Data modules for tensors in memory: no worker processes, no per-sample Python."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import lightning as L
import torch
from torch import Tensor

from overnight.data.batches import Batches, InOrder, Samples, Shuffled
from overnight.data.digest import digest
from overnight.data.soundness import refuse_misshapen, refuse_unsound
from overnight.data.splits import stratified_split


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch have one thread: more of them add floats in another order, and samples would have other bits.

    A launcher gives its workers fewer threads than ``eval.py`` has, which must find the same samples.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Source(NamedTuple):
    """The official training and test sets."""

    train: Samples
    test: Samples

    def with_features(self, change: Callable[[Tensor], Tensor]) -> "Source":
        """Return the same samples with what a function makes of their features."""
        return Source(*(Samples(change(features), targets) for features, targets in self))


class InMemoryData(L.LightningDataModule):
    """The base of the data modules: a subclass says in ``read`` where its samples come from.

    Args:
        val_size: samples held out for validation when ``folds=1``; below 1, their share of all.
        split_seed: draws the split; independent of ``seed``, so that runs with other seeds share it.
        folds: 1 for one hold-out split, k for k-fold cross-validation over the official training set.
        fold: which of the folds validates.
        batch_size: samples in a training batch.
        eval_batch_size: samples in a batch when nothing is learned.
        shuffle: draw a new order in every epoch.
        seed: seed of that order.
        track_test: evaluate on the test set after every epoch, too, if the task takes splits; for reporting.
    """

    class_names: tuple[str, ...] = ()
    """Of the classes, in the order of their labels; () if the targets are no classes."""
    column_names: tuple[str, ...] = ()
    """Of features [n, columns], one each; the same for those that encode one column of a file. () for others.

    A report says which columns matter to the winner; see ``overnight.runs.permutation``.
    """
    samples_digest: str = ""
    """A hash of what ``read`` has returned; see ``overnight.data.digest``."""
    test_rows: Sequence[int] | None = None
    """Where the test samples stand in their file; None: it has them alone, in their order."""

    def __init__(
        self,
        *,
        val_size: float,
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
        self._device: torch.device | None = None
        self._splits: tuple[str, ...] = ()

    def read(self) -> Source:
        """Return the official training and test sets; torch has one thread meanwhile, see ``one_thread``."""
        raise NotImplementedError(f"{type(self).__name__}.read is not written. Needed: it returns a Source")

    def prepare(self, source: Source) -> Source:
        """Return the samples as the task gets them; ``self.split`` is known by then."""
        return source

    @one_thread()
    def setup(self, stage: str | None = None) -> None:
        """Read and split the samples; move them to the trainer's device, once and whole."""
        device = self.trainer.strategy.root_device if self.trainer else torch.device("cpu")
        if device == self._device:
            return
        source = self._read()
        targets = source.train.targets
        self.split = stratified_split(targets, self.val_size, self.folds, self.fold, self.split_seed)
        source = self.prepare(source)
        refuse_unsound(*source, self.class_names)
        self.official_train, self.test = (part.on(device) for part in source)
        self._device = device

    def _read(self) -> Source:
        """Return what ``read`` gives, as tensors.

        Raises:
            ValueError: it gives something else; or what it gives does not belong together.
        """
        given: Any = self.read()
        try:
            source = Source(*(Samples(*map(torch.as_tensor, part)) for part in given))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{type(self).__name__}.read returns a {type(given).__name__} that cannot be used ({error}). "
                f"Needed: Source(Samples(features, targets), Samples(features, targets)), the training set "
                f"and the test set, of numbers"
            ) from error
        refuse_misshapen(*source)
        self.samples_digest = digest(*source)
        return source

    def transfer_batch_to_device(self, batch: Any, device: torch.device, dataloader_idx: int) -> Any:
        """Return the batch as it is: ``setup`` has moved everything already."""
        return batch

    def train_dataloader(self) -> Batches:
        """Return the batches of training: shuffled anew in every epoch."""
        order = Shuffled(self.split.train, self.seed) if self.shuffle else InOrder(self.split.train)
        return Batches(self.official_train, order, self.batch_size)

    def val_dataloader(self) -> list[Batches]:
        """Return the whole of each of ``eval_splits``, in order."""
        return [self.whole(split) for split in self.eval_splits]

    def test_dataloader(self) -> Batches:
        """Return the whole test set."""
        return self.whole("test")

    predict_dataloader = test_dataloader

    @property
    def eval_splits(self) -> tuple[str, ...]:
        """The splits that validation goes over: val, and test if its curve is drawn and the task can tell."""
        module = self.trainer.lightning_module if self.trainer else None
        both = self.track_test and getattr(module, "takes_splits", False)
        return self._splits or (("val", "test") if both else ("val",))

    @contextmanager
    def evaluating(self, *splits: str) -> Iterator[None]:
        """Let validation go over these splits (of val, test and train) instead."""
        self._splits = splits
        try:
            yield
        finally:
            self._splits = ()

    def whole(self, split: str) -> Batches:
        """Return the batches of a split in its own order."""
        samples = self.test if split == "test" else self.official_train
        positions = torch.arange(len(self.test.targets)) if split == "test" else getattr(self.split, split)
        return Batches(samples, InOrder(positions), self.eval_batch_size)

    @one_thread()
    def traits(self) -> dict[str, Any]:
        """Return what a net has to know of the data; reads it, unless a subclass states constants.

        Returns:
            ``in_features``; ``out_features``: the number of classes, or of the numbers of a target; of
            numbers, their ``target_mean`` and ``target_std`` in the training part, a list each.
        """
        self.setup()
        features, targets = self.official_train
        known: dict[str, Any] = {"in_features": features[0].numel()}
        if not targets.is_floating_point():
            return known | {"out_features": len(self.class_names) or int(targets.max()) + 1}
        numbers = targets.flatten(1) if targets.ndim > 1 else targets[:, None]
        std, mean = torch.std_mean(numbers[self.split.train.to(numbers.device)].double(), 0, correction=0)
        ends = {"target_mean": mean.tolist(), "target_std": torch.where(std > 0, std, 1.0).tolist()}
        return known | {"out_features": numbers.shape[1]} | ends

    def describe(self) -> dict[str, Any]:
        """Return what a run's record says of its data."""
        return {
            "train": len(self.split.train),
            "val": len(self.split.val),
            "test": len(self.test.targets),
            "split": self.split.digest(),
            "samples": self.samples_digest,
            "folds": self.folds,
            "fold": self.fold,
        }


def split_name(trainer: L.Trainer, dataloader_idx: int) -> str:
    """Return the split that a validation batch is of, for a task that takes splits.

    Where the data is no ``InMemoryData``, every loader is one of validation.
    """
    splits: tuple[str, ...] = getattr(trainer.datamodule, "eval_splits", ())  # type: ignore[attr-defined]
    if dataloader_idx < len(splits):
        return splits[dataloader_idx]
    return f"val_{dataloader_idx}" if dataloader_idx else "val"
