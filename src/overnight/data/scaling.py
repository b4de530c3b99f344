"""Features scaled, filled in and encoded by what the training part alone says of them."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from overnight.data.batches import Samples
from overnight.data.in_memory import Source

FILLED: dict[str, Callable[[Tensor], Tensor] | None] = {
    "refuse": None,
    "mean": lambda numbers: numbers.nanmean(0),
    "median": lambda numbers: numbers.nanmedian(0)[0],
}
"""Ways with missing numbers: what of the training part [n, numbers] stands in their place [numbers]."""


def standardize(source: Source, positions: Tensor, columns: slice = slice(None)) -> Source:
    """Scale features to mean 0 and standard deviation 1 on the training part; a constant one becomes 0.

    Args:
        source: features [n, columns], each scaled by itself, or [n, channels, ...], each channel by itself.
        positions: of the training part, in the official training set.
        columns: which of them are scaled.

    Returns:
        features in float32.
    """
    train = precise(source.train.features[positions, columns])
    if not train.numel():  # a table of categories alone
        return Source(*(Samples(part.features.float(), part.targets) for part in source))
    std, mean = torch.std_mean(
        train, [dim for dim in range(train.ndim) if dim != 1], correction=0, keepdim=True
    )
    varies = std > mean.abs() * torch.finfo(std.dtype).eps
    parts = []
    for features, targets in source:
        scaled = features.to(torch.float32, copy=True)
        scaled[:, columns] = torch.where(varies, (precise(features[:, columns]) - mean) / std, 0.0).float()
        parts.append(Samples(scaled, targets))
    return Source(*parts)


def precise(features: Tensor) -> Tensor:
    """Return whole numbers, such as the bytes of an image, as float32; floats as they are."""
    return features if features.is_floating_point() else features.float()


def filled_in(source: Source, fill: Callable[[Tensor], Tensor], trained: Tensor, numbers: int) -> Source:
    """Put what a function says of the training part in the place of missing numbers."""
    filling = fill(source.train.features[trained, :numbers]).nan_to_num()
    parts = []
    for features, values in source:
        whole = features.clone()
        whole[:, :numbers] = torch.where(whole[:, :numbers].isnan(), filling, whole[:, :numbers])
        parts.append(Samples(whole, values))
    return Source(*parts)


def one_hot_encoded(source: Source, trained: Tensor, numbers: int, sizes: Sequence[int]) -> Source:
    """Put a column for each category in the place of their numbers; one that is not trained on is always 0.

    Args:
        source: float32 [n, numbers + the columns with categories].
        trained: positions of the training part.
        numbers: columns that are none.
        sizes: how many categories each other column has.
    """
    parts: list[list[Tensor]] = [[part.features[:, :numbers]] for part in source]
    for place, size in enumerate(sizes, start=numbers):
        known = source.train.features[trained, place].long().bincount(minlength=size) > 0
        for columns_of, part in zip(parts, source, strict=True):
            columns_of.append((part.features[:, place, None] == torch.arange(size)).float() * known)
    return Source(
        *(Samples(torch.cat(each, 1), part.targets) for each, part in zip(parts, source, strict=True))
    )
