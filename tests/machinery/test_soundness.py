"""Samples that could not be learned from as they are meant are refused before anything is trained."""

from typing import Any

import pytest
import torch
from torch import Tensor

from overnight.data.batches import Samples
from overnight.data.digest import digest
from overnight.data.in_memory import InMemoryData, Source
from own_data import BATCHES, SPLITS
from threads import threads


class Given(InMemoryData):
    """Has what it is given."""

    def __init__(self, given: Any, names: tuple[str, ...] = ()) -> None:
        super().__init__(**SPLITS, **BATCHES)
        self.given, self.class_names = given, names

    def read(self) -> Source:
        """Return it."""
        return self.given  # type: ignore[no-any-return]


def features(**changed: Any) -> Tensor:
    """Return eight samples, a number of which may be changed."""
    made = torch.arange(24.0).view(8, 3)
    for value in changed.values():
        made[5, 1] = value
    return made


LABELS = torch.arange(8) % 2
GOOD = Samples(features(), LABELS)

REFUSED: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "nothing": (None, (), r"Given.read returns a NoneType .* Needed: Source\(Samples"),
    "one set": (GOOD, (), "Needed: Source"),
    "texts": (Source(Samples(features(), ["a"] * 8), GOOD), (), "of numbers"),  # type: ignore[arg-type]
    "a label less": (
        Source(Samples(features(), LABELS[1:]), GOOD),
        (),
        "features of 8 samples and targets of 7",
    ),
    "no test samples": (
        Source(GOOD, Samples(features()[:0], LABELS[:0])),
        (),
        "the test set has features of 0",
    ),
    "no columns": (Source(Samples(features()[:, 0], LABELS), GOOD), (), r"features \[8\]"),
    "other columns": (
        Source(GOOD, Samples(features()[:, :2], LABELS)),
        (),
        r"samples \[3\], and the test set \[2\]",
    ),
    "NaN": (
        Source(Samples(features(at=torch.nan), LABELS), GOOD),
        (),
        "features of the training set .* sample 5",
    ),
    "infinity": (Source(GOOD, Samples(features(at=-torch.inf), LABELS)), (), "features of the test set"),
    "a target": (
        Source(Samples(features(), features(at=torch.nan)[:, 1]), GOOD),
        (),
        "targets of the training",
    ),
    "one class": (Source(Samples(features(), LABELS * 0), GOOD), (), "all training samples have the label 0"),
    "below 0": (Source(Samples(features(), LABELS - 1), GOOD), (), r"labels \[-1, 0, 1\] for 1 classes"),
    "in the test only": (
        Source(GOOD, Samples(features(), LABELS + 1)),
        (),
        r"labels \[0, 1, 2\] for 2 classes",
    ),
    "more than names": (Source(Samples(features(), LABELS * 2), GOOD), ("a", "b"), r"for 2 classes \(a, b\)"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_learned_is_refused_in_one_message(case: str) -> None:
    given, names, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        Given(given, names).setup()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.int64, torch.uint8, torch.bool])
def test_other_samples_have_another_hash_whatever_their_type(dtype: torch.dtype) -> None:
    one, again, other = (Samples(features(at=at).to(dtype), LABELS) for at in (1.0, 1.0, 0.0))
    known, same, changed = (digest(each, GOOD) for each in (one, again, other))
    assert known == same != changed
    assert digest(Samples(one.features, 1 - LABELS), GOOD) != known


@pytest.mark.parametrize("at", [(1, 0), (998, 2)])
def test_one_other_cell_of_many_gives_another_hash(at: tuple[int, int]) -> None:
    values = torch.arange(2997, dtype=torch.uint8).view(999, 3)
    changed = values.clone()
    changed[at] += 1
    known, other = (digest(Samples(each, torch.zeros(999)), GOOD) for each in (values, changed))
    assert known != other


@pytest.mark.parametrize("value", [1e30, -1e38, 3e38])
def test_large_numbers_are_finite(value: float) -> None:
    large = features()
    large[:] = value
    Given(Source(Samples(large, LABELS), GOOD)).setup()


class Scaled(Given):
    """Divides what it is given by its mean, as anybody's data do."""

    def read(self) -> Source:
        """Return what is near 1."""
        return self.given.with_features(lambda features: features / features.mean())  # type: ignore[no-any-return]


def test_samples_are_the_same_with_another_number_of_threads() -> None:
    """A sum of floats is not: ``eval.py`` would find other samples than a worker of a launcher has seen."""

    def known(seed: int) -> str:
        features = torch.rand(40_000, 9, generator=torch.Generator().manual_seed(seed))
        data = Scaled(Source(*[Samples(features, torch.arange(40_000) % 2)] * 2))
        data.setup()
        return data.samples_digest

    hashes = []
    for number in (1, 2):
        with threads(number):
            hashes.append([known(seed) for seed in range(6)])
            assert torch.get_num_threads() == number
    assert hashes[0] == hashes[1]
