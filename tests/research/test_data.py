"""The images, and what a record says of them."""

from pathlib import Path

import pytest
import torch

from experiments import QUIET, Compose, Prepare
from fcnlab import fashion_mnist
from overnight.data.in_memory import Source
from overnight.data.splits import stratified_split


def test_sizes_and_balance_of_the_real_data(real_data: Source) -> None:
    assert real_data.train.features.shape == (60_000, 1, 28, 28)
    assert real_data.test.features.shape == (10_000, 1, 28, 28)
    assert real_data.train.targets.bincount().tolist() == [6_000] * 10
    assert real_data.test.targets.bincount().tolist() == [1_000] * 10


def test_mean_and_deviation_of_the_stored_pixels(real_folder: Path) -> None:
    pixels = fashion_mnist.read_idx(real_folder, "train-images-idx3-ubyte")
    assert pixels.dtype == torch.uint8
    shares = pixels.double() / 255
    assert shares.mean().item() == pytest.approx(0.286041, abs=1e-6)
    assert shares.std().item() == pytest.approx(0.353024, abs=1e-6)


def test_real_data_is_normalized_with_the_training_set(real_data: Source) -> None:
    assert real_data.train.features.mean().item() == pytest.approx(0, abs=1e-5)
    assert real_data.train.features.std().item() == pytest.approx(1, abs=1e-5)
    assert real_data.train.features.min().item() == pytest.approx(-0.286041 / 0.353024, abs=1e-4)
    assert real_data.test.features.min().item() == real_data.train.features.min().item()  # the same scale
    assert real_data.test.features.max().item() == real_data.train.features.max().item()


def test_default_split_of_the_real_data(compose: Compose, real_data: Source) -> None:
    config = compose()["data"]
    labels = real_data.train.targets
    split = stratified_split(
        labels, config["val_size"], config["folds"], config["fold"], config["split_seed"]
    )
    assert labels[split.val].bincount().tolist() == [600] * 10
    assert labels[split.train].bincount().tolist() == [5_400] * 10
    assert torch.cat([split.train, split.val]).sort().values.equal(torch.arange(60_000))


@pytest.mark.parametrize("folds", [2, 5, 10])
def test_folds_of_the_real_data(real_data: Source, folds: int) -> None:
    labels = real_data.train.targets
    splits = [stratified_split(labels, 6_000, folds, fold, 0) for fold in range(folds)]
    assert torch.cat([split.val for split in splits]).sort().values.equal(torch.arange(60_000))
    for split in splits:
        assert labels[split.val].bincount().tolist() == [6_000 // folds] * 10


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


def test_synthetic_data_is_learnable(prepare: Prepare) -> None:
    experiment = prepare(*QUIET, "model=logistic", "trainer.max_epochs=2")
    experiment.fit()
    accuracies = [row["val/acc"] or 0 for row in experiment.rows]
    assert accuracies[0] < 0.3
    assert accuracies[-1] > 0.9
