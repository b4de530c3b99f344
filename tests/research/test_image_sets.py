"""Image sets of torchvision, and some of the classes of a set."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import instantiate

from commands import every
from experiments import QUIET, Compose, Prepare
from fcnlab import torchvision_sets
from fcnlab.torchvision_sets import CIFAR10, KMNIST, MNIST, TorchvisionSet, channels_first
from overnight.config.errors import ConfigError
from overnight.training.parts import build
from own_data import BATCHES, SPLITS

SETTINGS = SPLITS | BATCHES | {"val_size": 20}
SETS = {"mnist": MNIST, "kmnist": KMNIST, "cifar10": CIFAR10}


def idx(values: np.ndarray) -> bytes:
    """Return bytes as an IDX file: two zero bytes, the type, the rank, the sizes, and the values."""
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes([0, 0, 8, values.ndim]) + sizes + values.astype(np.uint8).tobytes()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder with a hundred made images in the files of MNIST and KMNIST."""
    rng = np.random.default_rng(0)
    for name in ("MNIST", "KMNIST"):
        raw = tmp_path / name / "raw"
        raw.mkdir(parents=True)
        for part, size in (("train", 100), ("t10k", 30)):
            (raw / f"{part}-images-idx3-ubyte").write_bytes(idx(rng.integers(0, 256, (size, 28, 28))))
            (raw / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.arange(size) % 10))
    torchvision_sets.load.cache_clear()
    return tmp_path


@pytest.mark.parametrize("kind", [MNIST, KMNIST])
def test_torchvisions_files_are_read_and_normalized(kind: type[TorchvisionSet], root: Path) -> None:
    data = kind(root=str(root), **SETTINGS)
    data.setup()
    images, labels = data.official_train
    assert images.shape == (100, 1, 28, 28)
    assert images.mean().item() == pytest.approx(0, abs=1e-5)
    assert images.std().item() == pytest.approx(1, abs=1e-4)
    assert labels.bincount().tolist() == [10] * 10
    assert len(data.test.targets) == 30


def test_channels_of_colours_come_first() -> None:
    pixels = torch.arange(2 * 4 * 5 * 3).reshape(2, 4, 5, 3)
    images = channels_first(pixels)
    assert images.shape == (2, 3, 4, 5)
    assert torch.equal(images[1, 2], pixels[1, :, :, 2])


@pytest.mark.parametrize("option", SETS)
def test_a_net_fits_a_set_before_anything_is_read(option: str, compose: Compose) -> None:
    task, data = build(compose(f"data={option}"))
    assert isinstance(data, SETS[option])
    layers = task.net.dense_layers()  # type: ignore[operator, union-attr]
    assert layers[0].in_features == int(np.prod(data.shape))
    assert layers[-1].out_features == len(data.class_names) == 10


def test_some_of_the_classes_are_numbered_anew(prepare: Prepare) -> None:
    everything, some = prepare(*QUIET).data, prepare(*QUIET, "data.only_classes=[7,2]").data
    everything.setup()
    some.setup()
    assert some.class_names == ("7", "2")
    for split in ("official_train", "test"):
        (images, labels), (chosen, numbers) = getattr(everything, split), getattr(some, split)
        kept = (labels == 7) | (labels == 2)
        assert torch.equal(chosen, images[kept])
        assert torch.equal(numbers, (labels[kept] == 2).long())


def test_some_of_the_classes_are_learned(prepare: Prepare) -> None:
    experiment = prepare(
        *QUIET, "model=logistic", "trainer.max_epochs=2", "data.only_classes=[0,6]", "data.val_size=20"
    )
    experiment.fit()
    assert experiment.task.net.dense_layers()[-1].out_features == 2  # type: ignore[operator]
    assert (experiment.rows[-1]["val/acc"] or 0) > 0.9


@pytest.mark.parametrize("wrong", every(4, ["[0,10]", "[3]", "[1,1]", "[-1,2]"]))
@pytest.mark.usefixtures("unread_data")
def test_classes_that_there_are_not_are_refused(wrong: str, compose: Compose) -> None:
    with pytest.raises(ValueError, match="needed: two or more different labels from 0 to 9"):
        build(compose("data=mnist", f"data.only_classes={wrong}"))


@pytest.mark.usefixtures("unread_data")
def test_more_validation_than_data_is_refused(compose: Compose) -> None:
    with pytest.raises(ValueError, match="needed: fewer than the 60000 training images"):
        build(compose("data=mnist", "data.val_size=60000"))


@pytest.mark.parametrize(
    ("typed", "sizes"), [("data=mnist data.only_classes=[0,6]", (784, 2)), ("data=cifar10", (3072, 10))]
)
def test_a_composed_configuration_builds_a_task_by_itself_as_in_a_notebook(
    typed: str, sizes: tuple[int, int], compose: Compose
) -> None:
    net = instantiate(compose(*typed.split())["task"]).net
    layers = net.dense_layers()
    assert (layers[0].in_features, layers[-1].out_features) == sizes


def test_sizes_that_are_not_those_of_the_data_are_refused(compose: Compose) -> None:
    with pytest.raises(ConfigError, match=r"these data have .*784"):
        build(compose("data=mnist", "data.traits.in_features=100"))
