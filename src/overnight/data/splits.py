"""Splits of the official training samples into those that train and those that validate."""

import hashlib
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


class Split(NamedTuple):
    """Positions in the official training set, ascending, of the samples to train on and to validate on."""

    train: Tensor
    val: Tensor

    def digest(self) -> str:
        """Return a hash that two runs share exactly if they trained and validated on the same samples."""
        return hashlib.sha256(self.train.numpy().tobytes() + self.val.numpy().tobytes()).hexdigest()[:16]


def stratified_split(
    targets: Tensor, size: float, folds: int, fold: int, seed: int, key: str = "data.val_size"
) -> Split:
    """Draw a validation part in which every class has its share of the whole, give or take one sample.

    Targets that are no classes, but numbers or several for a sample, are split without regard to them.

    With ``folds=1`` it has ``size`` samples (below 1: this share of all); else it is fold number ``fold``
    of ``folds`` equal parts, disjoint and together everything. ``key`` sets the size, for messages.

    Raises:
        ValueError: nothing would be left to train on.
    """
    val_size = max(1, round(size * len(targets))) if size < 1 else int(size)
    if folds == 1 and val_size >= len(targets):
        raise ValueError(
            f"{key}={val_size}: needed: fewer than the {len(targets)} training samples. "
            f"Type for example: {key}={max(1, len(targets) // 10)}"
        )
    shuffled = np.random.default_rng(seed).permutation(len(targets))
    classes = targets.ndim == 1 and not targets.is_floating_point()
    by_class = shuffled[np.argsort(targets.numpy()[shuffled], kind="stable")] if classes else shuffled
    every_nth = np.arange(val_size) * len(targets) // val_size
    dealt = every_nth if folds == 1 else np.arange(fold, len(targets), folds)
    is_val = np.zeros(len(targets), dtype=bool)
    is_val[by_class[dealt]] = True
    return Split(torch.from_numpy(np.flatnonzero(~is_val)), torch.from_numpy(np.flatnonzero(is_val)))
