"""Features scaled, filled in and encoded by what the training part alone says of them."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

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
        return source.with_features(Tensor.float)
    std, mean = torch.std_mean(
        train, [dim for dim in range(train.ndim) if dim != 1], correction=0, keepdim=True
    )
    varies = std > mean.abs() * torch.finfo(std.dtype).eps

    def scaled(features: Tensor) -> Tensor:
        made = features.to(torch.float32, copy=True)
        made[:, columns] = torch.where(varies, (precise(features[:, columns]) - mean) / std, 0.0).float()
        return made

    return source.with_features(scaled)


def precise(features: Tensor) -> Tensor:
    """Return whole numbers as floats that tell them apart: bytes of an image as float32. Keep floats."""
    if features.is_floating_point():
        return features
    return features.float() if features.dtype in {torch.uint8, torch.bool} else features.double()


def filled_in(source: Source, fill: Callable[[Tensor], Tensor], trained: Tensor) -> Source:
    """Put what a function says of the training part in the place of missing numbers."""
    filling = fill(source.train.features[trained]).nan_to_num()
    return source.with_features(lambda features: features.where(~features.isnan(), filling))


def one_hot_encoded(source: Source, trained: Tensor, numbers: int, sizes: Sequence[int]) -> Source:
    """Put a column for each category in the place of their numbers; one that is not trained on is always 0.

    The float32 features have columns of ``numbers`` first, and then one with categories for each of the
    ``sizes``, which says how many; ``trained`` are the positions of the training part.
    """

    def encoded(features: Tensor) -> Tensor:
        categories = features[:, numbers:].long().unbind(1)
        return torch.cat([features[:, :numbers], *map(one_hot, categories, sizes)], 1)

    whole = source.with_features(encoded)
    known = whole.train.features[trained].any(0)
    known[:numbers] = True
    return whole.with_features(lambda features: features * known)
