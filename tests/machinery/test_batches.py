"""The order of the images, and their batches."""

from collections.abc import Iterator
from typing import Any

import lightning as L
import pytest
import torch

from experiments import QUIET, Prepare
from overnight.data.batches import Batches, Images, InOrder, Shuffled


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
    assert sorted(torch.cat([pixels[:, 0] for pixels, _ in drawn]).tolist()) == positions.tolist()
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
