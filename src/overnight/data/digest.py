"""A hash by which samples are known again: other ones have another, whichever cell differs."""

import hashlib

import numpy as np
import torch
from torch import Tensor

from overnight.data.batches import Samples

ROWS = 500
"""How many rows of features are hashed, by which their order is known again."""


def digest(*parts: Samples) -> str:
    """Return a hash of the samples: of all targets, of some hundred rows of features, and of their sum."""
    known = hashlib.sha256()
    for features, targets in parts:
        known.update(str(sum_of_words(features)).encode())
        for tensor in (targets, features[:: 1 + len(features) // ROWS]):
            known.update(f"{tensor.dtype} {tensor.shape}".encode() + octets(tensor).tobytes())
    return known.hexdigest()[:16]


def sum_of_words(values: Tensor) -> int:
    """Return the sum of all bits, taken as whole numbers: 2 ms for 47 MB, of which a hash takes 38 ms."""
    flat = octets(values)
    whole = len(flat) // 8 * 8
    return int(flat[:whole].view(np.int64).sum()) + int(flat[whole:].sum())


def octets(values: Tensor) -> np.ndarray:
    """Return the bytes of a tensor of any dtype [n]; numpy has no bfloat16."""
    return values.cpu().contiguous().flatten().view(torch.uint8).numpy()
