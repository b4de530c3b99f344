"""The order in which a fit visits the images: a matter of the seed and the epoch alone."""

from typing import Any

import lightning as L
import pytest

from experiments import QUIET, Prepare
from threads import threads


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


def test_order_in_a_fit_does_not_depend_on_threads(prepare: Prepare) -> None:
    with threads(1):
        alone = seen(prepare, *QUIET).epochs
    with threads(2):
        assert seen(prepare, *QUIET).epochs == alone


def test_without_shuffling_every_epoch_is_alike(prepare: Prepare) -> None:
    first, second = seen(prepare, *QUIET, "data.shuffle=false").epochs
    assert first == second
