"""Hold-out and folds."""

import pytest
import torch
from torch import Tensor

from overnight.data.splits import Split, stratified_split


def odd_labels(size: int, classes: int) -> Tensor:
    """Return shuffled labels of classes whose sizes are not alike."""
    generator = torch.Generator().manual_seed(size)
    weights = torch.arange(1, classes + 1, dtype=torch.float32)
    return weights.multinomial(size, replacement=True, generator=generator)


def together(*parts: Tensor) -> list[int]:
    return sorted(torch.cat(parts).tolist())


@pytest.mark.parametrize(
    ("size", "val_size", "classes"),
    [
        pytest.param(10, 1, 3, id="one sample"),
        pytest.param(10, 9, 3, id="all but one"),
        pytest.param(97, 13, 7, id="primes"),
        pytest.param(101, 50, 2, id="half"),
        pytest.param(1_000, 333, 10, id="a third"),
        pytest.param(1_001, 1_000, 10, id="nearly all"),
        pytest.param(4_999, 7, 10, id="fewer samples than classes"),
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


@pytest.mark.parametrize("targets", [torch.rand(100), torch.rand(100, 1), torch.randint(0, 2, (100, 3))])
def test_targets_that_are_no_classes_are_split_plainly(targets: torch.Tensor) -> None:
    parts = [stratified_split(targets, 0, 5, fold, 0).val for fold in range(5)]
    assert sorted(torch.cat(parts).tolist()) == list(range(100))
    held_out = stratified_split(targets, 20, 1, 0, 0)
    assert len(held_out.val) == 20
    assert not set(held_out.val.tolist()) & set(held_out.train.tolist())
