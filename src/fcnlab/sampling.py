"""How far an accuracy may be off because the images are a sample."""

import math


def with_error(accuracy: float, images: int) -> str:
    """Write an accuracy with half its 95 % interval: the normal approximation to the binomial."""
    half = 1.96 * math.sqrt(accuracy * (1 - accuracy) / images)
    return f"{accuracy:.4f} +- {half:.4f} (95 %, sampling of {images:,} images)"
