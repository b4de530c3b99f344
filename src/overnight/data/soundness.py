"""Samples that could not be learned from as they are meant, refused before anything is trained."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from overnight.data.batches import Samples

ROUNDED = 1e-3
"""So much of a standard deviation may a target be off in single precision."""


def refuse_misshapen(train: Samples, test: Samples) -> None:
    """Refuse features and targets that do not belong together (ValueError)."""
    for name, (features, targets) in {"training": train, "test": test}.items():
        if features.ndim < 2 or not targets.ndim:  # noqa: PLR2004 - samples, columns
            raise ValueError(
                f"the {name} set has features {list(features.shape)} and targets {list(targets.shape)}. "
                f"Needed: features [n, columns] or [n, channels, height, width], and targets [n]"
            )
        if len(features) != len(targets) or not len(targets):
            raise ValueError(
                f"the {name} set has features of {len(features)} samples and targets of {len(targets)}. "
                f"Needed: as many, and at least one"
            )
    if train.features.shape[1:] != test.features.shape[1:]:
        raise ValueError(
            f"the training set has samples {list(train.features.shape[1:])}, and the test set "
            f"{list(test.features.shape[1:])}. Needed: the same columns in both"
        )


def refuse_unsound(train: Samples, test: Samples, class_names: Sequence[str]) -> None:
    """Refuse numbers that are not finite, and labels that no class has (ValueError)."""
    for name, samples in {"training": train, "test": test}.items():
        for what, numbers in samples._asdict().items():
            # a sum of all takes a third of the time
            if not numbers.sum().isfinite() and len(wrong := (~numbers.isfinite()).nonzero()):
                raise ValueError(
                    f"the {what} of the {name} set are not finite in sample {int(wrong[0, 0])}. Needed: "
                    f"numbers; leave such samples out, or fill them in"
                )
        refuse_rounded(samples.targets, train.targets, name)
    for complaint in wrong_labels(train.targets, test.targets, class_names):
        raise ValueError(complaint)


def refuse_rounded(targets: Tensor, trained: Tensor, name: str) -> None:
    """Refuse targets in float64 that are others in single precision, by the spread of those of training."""
    lost = (targets - targets.float()).abs().amax(0)
    if targets.dtype is torch.float64 and (lost > ROUNDED * trained.double().std(0)).any():
        raise ValueError(
            f"the targets of the {name} set lie between {targets.min():.12g} and {targets.max():.12g}, and "
            f"in single precision, in which a network learns, they are no longer what they are. Needed: the "
            f"same numbers less their mean, or less a round number near it"
        )


def wrong_labels(train: Tensor, test: Tensor, class_names: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with targets that are labels; nothing of other targets."""
    if train.is_floating_point() or test.is_floating_point() or train.ndim > 1:
        return
    low, high = int(train.min()), int(train.max())
    classes = len(class_names) or high + 1
    if low == high:
        yield f"all training samples have the label {low}. Needed: two or more classes"
    if min(low, int(test.min())) < 0 or max(high, int(test.max())) >= classes:
        known = ", ".join(class_names) or "none named"
        found = torch.cat([train.unique(), test.unique()]).unique().tolist()[:20]
        yield f"labels {found} for {classes} classes ({known}). Needed: whole numbers from 0 to {classes - 1}"
