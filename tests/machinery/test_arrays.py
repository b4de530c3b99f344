"""Arrays of one's own, as data."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overnight.data.arrays import Arrays
from own_data import BATCHES, SET_ASIDE, SPLITS

RNG = np.random.default_rng(0)
X, Y = RNG.normal(3, 2, size=(40, 5)), np.arange(40) % 4 + 1
SETTINGS = SPLITS | SET_ASIDE | BATCHES | {"regression": False, "standardize": True}


def read(path: Path, **settings: Any) -> Arrays:
    data = Arrays(**SETTINGS | settings | {"path": str(path)})
    data.setup()
    return data


def saved(folder: Path, **arrays: Any) -> Path:
    np.savez(folder / "mine.npz", **arrays)
    return folder / "mine.npz"


LEARNED: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "classes": ({"features": X, "targets": Y}, {}, {"in_features": 5, "out_features": 4}),
    "targets [n, 1]": ({"features": X, "targets": Y[:, None]}, {}, {"in_features": 5, "out_features": 4}),
    "texts": (
        {"features": X, "targets": np.array([*"abcd"])[Y - 1]},
        {},
        {"in_features": 5, "out_features": 4},
    ),
    "images": (
        {"features": RNG.integers(0, 255, (40, 3, 4, 4), dtype=np.uint8), "targets": Y},
        {},
        {"in_features": 48, "out_features": 4},
    ),
    "unscaled": (
        {"features": X, "targets": Y},
        {"standardize": False},
        {"in_features": 5, "out_features": 4},
    ),
    "an official test set": (
        {"features": X, "targets": Y, "test_features": X[:8], "test_targets": Y[:8]},
        {},
        {"in_features": 5, "out_features": 4},
    ),
    "numbers": (
        {"features": X, "targets": X[:, 0]},
        {"regression": True},
        {"in_features": 5, "out_features": 1},
    ),
    "several numbers": (
        {"features": X, "targets": X[:, :2]},
        {"regression": True},
        {"in_features": 5, "out_features": 2},
    ),
}


@pytest.mark.parametrize("name", LEARNED)
def test_what_can_be_learned_from(name: str, tmp_path: Path) -> None:
    arrays, settings, traits = LEARNED[name]
    data = read(saved(tmp_path, **arrays), **settings)
    assert {key: data.traits()[key] for key in traits} == traits
    (train,) = data.whole("train")
    assert train.features.isfinite().all()
    scaled = train.features.mean().abs().item() < 1e-5
    assert scaled == data.standardize
    official = "test_features" in arrays
    assert data.describe()["test"] == 8
    assert data.describe()["train"] + data.describe()["val"] == (40 if official else 32)


def test_a_folder_of_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "features.npy", X)
    np.save(tmp_path / "targets.npy", Y)
    assert read(tmp_path).class_names == ("1", "2", "3", "4")


def test_names_of_classes(tmp_path: Path) -> None:
    names = np.array(["north", "east", "süd", "west"])
    for given in (names, np.char.encode(names, "utf-8")):
        assert read(saved(tmp_path, features=X, targets=Y, class_names=given)).class_names == tuple(names)
        assert read(saved(tmp_path, features=X, targets=given[Y - 1])).class_names == tuple(np.unique(names))


def test_large_whole_numbers_keep_what_tells_them_apart(tmp_path: Path) -> None:
    seconds = 1_700_000_000 + np.arange(40)[:, None]
    (train,) = read(saved(tmp_path, features=seconds, targets=Y)).whole("train")
    assert len(train.features.unique()) == len(train.features)


def test_channels_are_standardized_each_by_itself(tmp_path: Path) -> None:
    images = RNG.normal([[[1]], [[100]]], 5, size=(40, 2, 3, 3))
    (train,) = read(saved(tmp_path, features=images, targets=Y)).whole("train")
    assert train.features.mean((0, 2, 3)).tolist() == pytest.approx([0, 0], abs=1e-5)
    assert train.features.std((0, 2, 3), correction=0).tolist() == pytest.approx([1, 1], abs=1e-5)


def test_the_scale_of_numbers_is_that_of_the_training_part(tmp_path: Path) -> None:
    data = read(saved(tmp_path, features=X, targets=X[:, 0]), regression=True)
    (train,) = data.whole("train")
    traits = data.traits()
    assert traits["target_mean"] == pytest.approx([train.targets.mean().item()], rel=1e-5)
    assert traits["target_std"] == pytest.approx([train.targets.std(correction=0).item()], rel=1e-5)


REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "other names": (
        {"X": X, "y": Y},
        {},
        "no features and no targets in it, only X, y. Needed: features, targets",
    ),
    "no targets": ({"features": X}, {}, "there is no targets in it"),
    "half a test set": ({"features": X, "targets": Y, "test_targets": Y}, {}, "test_targets is there alone"),
    "other lengths": ({"features": X[:9], "targets": Y}, {}, "9 features, but 40 targets"),
    "no columns": ({"features": X[:, :0], "targets": Y}, {}, r"features is float64 \(40, 0\). Needed: num"),
    "bytes that are no text": ({"features": X, "targets": np.array([b"\xff", b"a"] * 20)}, {}, "as arrays"),
    "a label that is missing": (
        {"features": X, "targets": np.where(Y == 4, np.nan, Y)},
        {},
        "targets lacks 10 of 40. Needed: a class for each sample",
    ),
    "one dimension": ({"features": X[:, 0], "targets": Y}, {}, r"Needed: numbers \[samples, features"),
    "another width in the test": (
        {"features": X, "targets": Y, "test_features": X[:, :2], "test_targets": Y},
        {},
        r"test_features is \(40, 2\), features \(40, 5\)",
    ),
    "missing": ({"features": np.where(X > 5, np.nan, X), "targets": Y}, {}, "missing or infinite"),
    "no classes": ({"features": X, "targets": X[:, 0]}, {}, "type: loss=mse metrics=regression"),
    "images with the channels last": (
        {"features": np.zeros((40, 8, 8, 3)), "targets": Y},
        {},
        r"channels last. Needed: \[samples, channels, .* features.transpose\(0, 3, 1, 2\)",
    ),
    "one-hot classes": ({"features": X, "targets": np.eye(9)[Y]}, {}, r"targets.argmax\(1\) of one-hot"),
    "targets of two columns": ({"features": X, "targets": X[:, :2]}, {}, "one class for each sample"),
    "objects": ({"features": X, "targets": np.array([None] * 40)}, {}, "without Python objects"),
    "too few names": ({"features": X, "targets": Y, "class_names": ["a"]}, {}, "1 class_names for 4 classes"),
    "targets far from 0": (
        {"features": X, "targets": 1e9 + X[:, 0]},
        {"regression": True},
        "lie between 9999.* and 10000.*, .* less their mean",
    ),
    "missing targets": ({"features": X, "targets": np.full(40, np.inf)}, {"regression": True}, "not finite"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_in_one_message(name: str, tmp_path: Path) -> None:
    arrays, settings, message = REFUSED[name]
    with pytest.raises(ValueError, match=message) as refused:
        read(saved(tmp_path, **arrays), **settings)
    assert "\n" not in str(refused.value)


def test_paths_that_lead_to_no_arrays(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        read(tmp_path / "absent.npz")
    for name, words in (("mine.csv", "data=table data.path="), ("X.npy", "one array. Needed: the folder")):
        (tmp_path / name).touch()
        with pytest.raises(ValueError, match=words):
            read(tmp_path / name)
    (tmp_path / "mine.npz").write_text("1,2,3")
    with pytest.raises(ValueError, match="it cannot be read as arrays"):
        read(tmp_path / "mine.npz")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"only nothing\. Needed: features, targets"):
        read(tmp_path / "empty")
