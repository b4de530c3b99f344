"""Splits, folds and the order of the batches."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor

from conftest import QUIET, Compose, Prepare
from fcnlab import fashion_mnist
from fcnlab.batches import Batches, Images, InOrder, Shuffled
from fcnlab.data import Source
from fcnlab.splits import Split, stratified_split


class Seen(L.Callback):
    """The batches that the training step got, as they came."""

    def __init__(self) -> None:
        self.epochs: list[list[tuple[list[int], list[float]]]] = []

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        self.epochs.append([])

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        pixels, labels = batch
        self.epochs[-1].append((labels.tolist(), pixels[:, 0, 14, 14].tolist()))


@pytest.fixture
def threads() -> Iterator[None]:
    """Give torch its number of threads back afterwards."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def odd_labels(size: int, classes: int) -> Tensor:
    """Return shuffled labels of classes whose sizes are not alike."""
    generator = torch.Generator().manual_seed(size)
    weights = torch.arange(1, classes + 1, dtype=torch.float32)
    return weights.multinomial(size, replacement=True, generator=generator)


def together(*parts: Tensor) -> list[int]:
    return sorted(torch.cat(parts).tolist())


def test_sizes_and_balance_of_the_real_data(real_data: Source) -> None:
    assert real_data.train.pixels.shape == (60_000, 1, 28, 28)
    assert real_data.test.pixels.shape == (10_000, 1, 28, 28)
    assert real_data.train.labels.bincount().tolist() == [6_000] * 10
    assert real_data.test.labels.bincount().tolist() == [1_000] * 10


def test_mean_and_deviation_of_the_stored_pixels(real_folder: Path) -> None:
    pixels = fashion_mnist.read_idx(real_folder, "train-images-idx3-ubyte")
    assert pixels.dtype == torch.uint8
    shares = pixels.double() / 255
    assert shares.mean().item() == pytest.approx(0.286041, abs=1e-6)
    assert shares.std().item() == pytest.approx(0.353024, abs=1e-6)


def test_real_data_is_normalized_with_the_training_set(real_data: Source) -> None:
    assert real_data.train.pixels.mean().item() == pytest.approx(0, abs=1e-5)
    assert real_data.train.pixels.std().item() == pytest.approx(1, abs=1e-5)
    assert real_data.train.pixels.min().item() == pytest.approx(-0.286041 / 0.353024, abs=1e-4)
    assert real_data.test.pixels.min().item() == real_data.train.pixels.min().item()  # the same scale
    assert real_data.test.pixels.max().item() == real_data.train.pixels.max().item()


def test_default_split_of_the_real_data(compose: Compose, real_data: Source) -> None:
    config = compose()["data"]
    labels = real_data.train.labels
    split = stratified_split(
        labels, config["val_size"], config["folds"], config["fold"], config["split_seed"]
    )
    assert labels[split.val].bincount().tolist() == [600] * 10
    assert labels[split.train].bincount().tolist() == [5_400] * 10
    assert together(split.train, split.val) == list(range(60_000))


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_folds_of_the_real_data(real_data: Source, folds: int) -> None:
    labels = real_data.train.labels
    splits = [stratified_split(labels, 6_000, folds, fold, 0) for fold in range(folds)]
    assert together(*(split.val for split in splits)) == list(range(60_000))
    for split in splits:
        assert labels[split.val].bincount().tolist() == [6_000 // folds] * 10


@pytest.mark.parametrize(
    ("size", "val_size", "classes"),
    [
        pytest.param(10, 1, 3, id="one image"),
        pytest.param(10, 9, 3, id="all but one"),
        pytest.param(97, 13, 7, id="primes"),
        pytest.param(101, 50, 2, id="half"),
        pytest.param(1_000, 333, 10, id="a third"),
        pytest.param(1_001, 1_000, 10, id="nearly all"),
        pytest.param(4_999, 7, 10, id="fewer images than classes"),
        pytest.param(60, 12, 1, id="one class"),
    ],
)
@pytest.mark.parametrize("seed", [0, 1, 12345])
def test_every_class_has_its_share_in_validation(size: int, val_size: int, classes: int, seed: int) -> None:
    labels = odd_labels(size, classes)
    split = stratified_split(labels, val_size, folds=1, fold=0, seed=seed)
    assert len(split.val) == val_size
    assert together(split.train, split.val) == list(range(size))
    shares = labels.bincount() * val_size / size
    assert (labels[split.val].bincount(minlength=len(shares)) - shares).abs().max() <= 1


@pytest.mark.parametrize("size", [10, 97, 1_001])
@pytest.mark.parametrize("folds", [2, 3, 7, 10])
def test_folds_are_disjoint_and_stratified(size: int, folds: int) -> None:
    labels = odd_labels(size, 5)
    splits = [stratified_split(labels, 1, folds, fold, seed=0) for fold in range(folds)]
    assert together(*(split.val for split in splits)) == list(range(size))
    shares = labels.bincount() / folds
    for split in splits:
        assert together(split.train, split.val) == list(range(size))
        assert abs(len(split.val) - size / folds) < 1
        assert (labels[split.val].bincount(minlength=len(shares)) - shares).abs().max() <= 1


@pytest.mark.parametrize("folds", [1, 5])
def test_split_is_a_matter_of_its_seed(folds: int) -> None:
    labels = odd_labels(500, 10)
    digests = [stratified_split(labels, 100, folds, 0, seed).digest() for seed in (0, 0, 1, 2)]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_digest_tells_training_from_validation() -> None:
    one, other = torch.arange(3), torch.arange(3, 6)
    assert Split(one, other).digest() != Split(other, one).digest()


def test_runs_with_other_seeds_share_the_split(prepare: Prepare) -> None:
    def digest(*overrides: str) -> object:
        data = prepare(*QUIET, *overrides).data
        data.setup()
        return data.describe()["split"]

    assert digest("seed=0") == digest("seed=1")
    assert digest("data.split_seed=0") != digest("data.split_seed=1")
    assert digest("data.folds=5") != digest("data.folds=5", "data.fold=1")


def test_what_a_record_says_of_its_data(prepare: Prepare) -> None:
    data = prepare(*QUIET, "data.folds=5", "data.fold=2").data
    data.setup()
    assert data.describe() == {
        "train": 480,
        "val": 120,
        "test": 100,
        "split": data.split.digest(),
        "folds": 5,
        "fold": 2,
    }


def test_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        shuffled = Shuffled(torch.arange(100), seed)
        shuffled.set_epoch(epoch)
        torch.rand(3)  # the global generator has no part in it
        return list(shuffled.positions().tolist())

    orders = [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert orders == [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert len({tuple(positions) for positions in orders}) == 9


@pytest.mark.parametrize(
    ("size", "batch_size", "sizes"),
    [
        pytest.param(10, 4, [4, 4, 2], id="last one smaller"),
        pytest.param(12, 4, [4, 4, 4], id="all alike"),
        pytest.param(3, 4, [3], id="one batch"),
        pytest.param(3, 1, [1, 1, 1], id="one image each"),
    ],
)
@pytest.mark.parametrize(
    "order", [InOrder, lambda positions: Shuffled(positions, 0)], ids=["in order", "shuffled"]
)
def test_batches_cover_every_image_once(size: int, batch_size: int, sizes: list[int], order: Any) -> None:
    positions = torch.arange(5, 5 + size)
    images = Images(torch.arange(100).float()[:, None], torch.arange(100) * 10)
    batches = Batches(images, order(positions), batch_size)
    drawn = list(batches)
    assert len(batches) == len(drawn)
    assert [len(labels) for _, labels in drawn] == sizes
    assert together(*(pixels[:, 0] for pixels, _ in drawn)) == positions.tolist()
    assert all(torch.equal(pixels[:, 0] * 10, labels) for pixels, labels in drawn)


def seen(prepare: Prepare, *overrides: str) -> Seen:
    """Train for two epochs and return the batches."""
    experiment = prepare("trainer.max_epochs=2", *overrides)
    callback = Seen()
    experiment.trainer.callbacks.append(callback)  # type: ignore[attr-defined]
    assert experiment.fit()["status"] == "completed"
    return callback


def test_a_fit_sees_every_training_image_once_an_epoch(prepare: Prepare) -> None:
    epochs = seen(prepare, *QUIET).epochs
    assert [[len(labels) for labels, _ in epoch] for epoch in epochs] == [[64] * 7 + [52]] * 2
    first, second = ([pixel for _, pixels in epoch for pixel in pixels] for epoch in epochs)
    assert first != second
    assert sorted(first) == sorted(second)


@pytest.mark.parametrize(
    "overrides",
    [
        pytest.param([*QUIET, "+trainer.limit_val_batches=0"], id="no validation"),
        pytest.param([*QUIET, "trainer.num_sanity_val_steps=2"], id="sanity check"),
        pytest.param([*QUIET, "track_test=false"], id="no test curve"),
        pytest.param([*QUIET, "regularization=dropout"], id="dropout"),
        pytest.param([*QUIET, "model=logistic", "init=orthogonal"], id="another net"),
        pytest.param(["logger=csv", "callbacks=none"], id="csv"),
        pytest.param(["logger=tensorboard", "callbacks=default"], id="tensorboard and checkpoints"),
    ],
)
def test_order_in_a_fit_does_not_depend_on(prepare: Prepare, overrides: list[str]) -> None:
    assert seen(prepare, *overrides).epochs == seen(prepare, *QUIET).epochs


def test_order_in_a_fit_depends_on_the_seed(prepare: Prepare) -> None:
    assert seen(prepare, *QUIET, "seed=1").epochs != seen(prepare, *QUIET).epochs


@pytest.mark.usefixtures("threads")
def test_order_in_a_fit_does_not_depend_on_threads(prepare: Prepare) -> None:
    torch.set_num_threads(1)
    alone = seen(prepare, *QUIET).epochs
    torch.set_num_threads(2)
    assert seen(prepare, *QUIET).epochs == alone


def test_without_shuffling_every_epoch_is_alike(prepare: Prepare) -> None:
    first, second = seen(prepare, *QUIET, "data.shuffle=false").epochs
    assert first == second


def test_synthetic_data_is_learnable(prepare: Prepare) -> None:
    experiment = prepare(*QUIET, "model=logistic", "trainer.max_epochs=2")
    experiment.fit()
    accuracies = [row["val/acc"] or 0 for row in experiment.task.history]
    assert accuracies[0] < 0.3
    assert accuracies[-1] > 0.9
