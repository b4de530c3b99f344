"""The images of FashionMNIST, and what networks make of them."""

import gzip
import math
from pathlib import Path

import hydra
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from commands import Command
from experiments import Compose
from fcnlab import fashion_mnist
from foreign_runs import recorded
from overnight.data.batches import Samples
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
    config = compose("data=fashion_mnist")["data"]
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


@pytest.fixture
def batch(real_data: Source) -> Samples:
    return Samples(real_data.train.features[:512], real_data.train.targets[:512])


@pytest.mark.parametrize(
    ("overrides", "expected", "relative"),
    [
        pytest.param(["init=normal"], 10_800, 0.25, id="N(0, 1)"),
        pytest.param(["init=normal", "regularization=batch_norm"], 18, 0.25, id="N(0, 1) with batch norm"),
        pytest.param(["init=normal", "init.std=0.01"], 2.304, 0.003, id="N(0, 0.01^2)"),
        pytest.param(["init=xavier_normal"], 2.70, 0.1, id="xavier_normal"),
        pytest.param(["init=lecun_normal"], 2.50, 0.1, id="lecun_normal"),
        pytest.param(["init=kaiming_normal"], 3.21, 0.15, id="kaiming_normal"),
        pytest.param(["init=zeros"], math.log(10), 1e-6, id="zeros"),
    ],
)
def test_loss_before_training(
    compose: Compose, batch: Samples, overrides: list[str], expected: float, relative: float
) -> None:
    config = compose("data=fashion_mnist", "model.hidden_sizes=[1024,256]", *overrides)
    torch.manual_seed(0)
    net: nn.Module = hydra.utils.instantiate(config["model"], _convert_="all")
    loss = cross_entropy(net(batch.features), batch.targets)
    assert loss.item() == pytest.approx(expected, rel=relative)


def test_one_epoch_of_the_real_data_learns(command: Command, tmp_path: Path, real_data: Source) -> None:
    assert len(real_data.test.targets) == 10_000
    typed = ("data=fashion_mnist", "trainer.max_epochs=1", "trainer=cpu", "task_name=mine")
    assert command("train.py", *typed).status == 0
    record = recorded(tmp_path)
    assert record["best"]["val/acc"] > 0.82
    assert record["data"]["train"] == 54_000


@pytest.mark.parametrize("damage", ["truncated", "altered"])
def test_a_damaged_data_file_is_named_with_the_remedy(damage: str, command: Command, tmp_path: Path) -> None:
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    for name in fashion_mnist.DIGESTS:
        content = gzip.compress(b"\0" * 1000)
        (raw / f"{name}.gz").write_bytes(content[:-20] if damage == "truncated" else content)
    result = command("train.py", "data=fashion_mnist", "trainer=cpu", f"data.root={tmp_path}")
    assert result.status == 1
    assert "train-images-idx3-ubyte.gz is truncated or altered" in result.stderr
    assert "Delete it and type: make data" in result.stderr
    assert "Traceback" not in result.stderr
