"""How far an accuracy may be off because the images are a sample."""

from statistics import NormalDist
from typing import Any

LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


def half_interval(accuracy: Any, images: Any) -> Any:
    """Return half the width of the 95 % score interval (Wilson 1927): it is not 0 where all are right.

    Args:
        accuracy: share of the images that are right; a number, or a pandas Series of them.
        images: how many they are.
    """
    return Z / (images + Z**2) * (images * accuracy * (1 - accuracy) + Z**2 / 4) ** 0.5


def with_error(accuracy: float, images: int) -> str:
    """Write an accuracy with half its interval."""
    half = half_interval(accuracy, images)
    return f"{accuracy:.4f} +- {half:.4f} (95 %, sampling of {images:,} images)"
