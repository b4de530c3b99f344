"""Features scaled by what the training part alone says of them."""

import torch
from torch import Tensor

from overnight.data.batches import Samples
from overnight.data.in_memory import Source


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
