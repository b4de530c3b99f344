"""Arrays in files as data: an .npz, or a folder of .npy."""

import functools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from overnight.data import targets
from overnight.data.batches import Samples
from overnight.data.files import of_file, refuse_no_arrays, version
from overnight.data.in_memory import InMemoryData, Source
from overnight.data.scaling import standardize
from overnight.data.splits import stratified_split
from overnight.data.targets import Targets

NEEDED, OF_TEST, NAMES = ("features", "targets"), ("test_features", "test_targets"), "class_names"
COLOURS = (1, 3, 4)
"""Channels that images have."""
HOW = "Type in Python: numpy.savez('FILE.npz', features=X, targets=y)"


class Arrays(InMemoryData):
    """Arrays ``features`` and ``targets`` [n, ...], and ``test_features`` and ``test_targets`` if there are.

    Texts in ``class_names`` name the classes; without them, the values of the targets do.

    Args:
        path: of an .npz with these arrays, or of a folder with ``features.npy``, ``targets.npy`` and so on.
        regression: the targets are numbers; else classes.
        standardize: scale each column of [n, columns], or each channel of [n, channels, ...], on the training
            part.
        test_size: samples that are set aside for the test if there is no official test set; below 1, their
            share of all.
        test_seed: draws them.
        settings: of ``InMemoryData``.
    """

    def __init__(
        self,
        *,
        path: str,
        regression: bool,
        standardize: bool,
        test_size: float,
        test_seed: int,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.path, self.regression, self.standardize = Path(path), regression, standardize
        self.test_size, self.test_seed = test_size, test_seed

    def read(self) -> Source:
        """Read the files; see ``load`` for what it raises."""
        values, (learned, self.class_names), tested = load(
            self.path, version(self.path), regression=self.regression
        )
        features = torch.from_numpy(values)
        vectors = features.ndim == 2  # noqa: PLR2004 - [n, columns]
        self.column_names = tuple(f"column {place}" for place in range(features.shape[1]) if vectors)
        if tested:
            cut = len(features) - tested
            return Source(Samples(features[:cut], learned[:cut]), Samples(features[cut:], learned[cut:]))
        split = stratified_split(learned, self.test_size, 1, 0, self.test_seed, "data.test_size")
        self.test_rows = split.val.tolist()
        return Source(*(Samples(features[rows], learned[rows]) for rows in split))

    def prepare(self, source: Source) -> Source:
        """Standardize, if asked for, on the training part, which must have all classes (ValueError)."""
        trained = self.split.train
        targets.refuse_untrained(source.train.targets[trained], self.class_names, f"targets in {self.path}")
        return standardize(source, trained) if self.standardize else source.with_features(Tensor.float)


@functools.lru_cache(maxsize=2)
def load(path: Path, version: tuple[int, ...], *, regression: bool) -> tuple[np.ndarray, Targets, int]:  # noqa: ARG001 - a key of the cache
    """Read the arrays once for each version of the files, and see that they fit.

    Returns:
        features [n, ...], targets [n, ...], and how many of the samples, the last ones, are an official test
        set.

    Raises:
        FileNotFoundError: they are not there.
        ValueError: they cannot be learned from.
    """
    arrays = read_arrays(path)
    if missing := [name for name in NEEDED if name not in arrays]:
        raise ValueError(
            f"data.path={path}: there is no {' and no '.join(missing)} in it, only "
            f"{', '.join(arrays) or 'nothing'}. Needed: features, targets, and test_features, test_targets "
            f"for an official test set. {HOW}"
        )
    both = [name for name in OF_TEST if name in arrays]
    if len(both) == 1:
        raise ValueError(
            f"data.path={path}: {both[0]} is there alone. Needed: {' and '.join(OF_TEST)}, or neither"
        )
    names = [NEEDED, OF_TEST] if both else [NEEDED]
    with of_file(path):
        features = np.concatenate([fitting(arrays, *pair) for pair in names])
        values = np.concatenate([flat(arrays[answers]) for _, answers in names])
        encoded = (targets.numbers if regression else targets.classes)(values, "targets")
        return features, named(encoded, arrays), len(arrays[OF_TEST[1]]) if both else 0


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays by their names; nothing that is pickled is unpickled.

    Raises:
        FileNotFoundError: they are not there.
        ValueError: a file is no array, or holds Python objects.
    """
    try:
        if path.is_dir():
            return {file.stem: as_text(np.load(file)) for file in sorted(path.glob("*.npy"))}
        refuse_no_arrays(path)
        with np.load(path) as arrays:
            return {name: as_text(array) for name, array in arrays.items()}
    except (ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"data.path={path}: it cannot be read as arrays ({error}). Needed: an .npz, or a folder with "
            f"features.npy and targets.npy, without Python objects. {HOW}"
        ) from error


def as_text(array: np.ndarray) -> np.ndarray:
    """Return an array of bytes, as other formats keep texts, as texts; others as they are."""
    return np.char.decode(array, "utf-8") if array.dtype.kind == "S" else array


def fitting(arrays: dict[str, np.ndarray], name: str, answers: str) -> np.ndarray:
    """Return the features, if they fit their targets.

    Raises:
        ValueError: they do not, or are no finite numbers.
    """
    features = arrays[name]
    known = features.dtype.kind in "biuf" and features.dtype.itemsize <= 8  # noqa: PLR2004 - torch's
    if features.ndim < 2 or not known or not features.size:  # noqa: PLR2004
        raise ValueError(
            f"{name} is {features.dtype} {features.shape}. Needed: numbers [samples, features, ...]"
        )
    _, *shape = features.shape
    if len(shape) == 3 and shape[2] in COLOURS and shape[0] == shape[1] > max(COLOURS):  # noqa: PLR2004
        raise ValueError(
            f"{name} is {features.shape}: images with the channels last. Needed: [samples, channels, height, "
            f"width]. Type in Python before they are saved: {name} = {name}.transpose(0, 3, 1, 2)"
        )
    if len(features) != len(arrays[answers]):
        raise ValueError(f"{len(features)} {name}, but {len(arrays[answers])} {answers}. Needed: as many")
    if features.shape[1:] != arrays[NEEDED[0]].shape[1:]:
        raise ValueError(
            f"{name} is {features.shape}, features {arrays[NEEDED[0]].shape}. Needed: the same but for n"
        )
    if not np.isfinite(features).all():
        raise ValueError(
            f"{name} holds numbers that are missing or infinite. Needed: finite ones; fill them in first"
        )
    return features


def flat(values: np.ndarray) -> np.ndarray:
    """Return targets [n, 1] as [n]; others as they are."""
    return values[:, 0] if values.shape[1:] == (1,) else values


def named(encoded: Targets, arrays: dict[str, np.ndarray]) -> Targets:
    """Give the classes their own names where the file has some; refuse more or fewer names (ValueError)."""
    if NAMES not in arrays or not encoded.class_names:
        return encoded
    names = tuple(map(str, arrays[NAMES]))
    if len(names) != len(encoded.class_names):
        raise ValueError(f"{len(names)} class_names for {len(encoded.class_names)} classes. Needed: as many")
    return Targets(encoded.values, names)
