"""How far a share of right answers may be off because the samples are few."""

from statistics import NormalDist
from typing import Any

SMALL, LARGE = 1e-3, 1e6
LEVEL = 0.95
Z = NormalDist().inv_cdf((1 + LEVEL) / 2)


def half_interval(share: Any, samples: Any) -> Any:
    """Return half the width of the 95 % score interval (Wilson 1927): it is not 0 where all are right.

    ``share`` is that of the right ones among so many ``samples``: a number, or a pandas Series of them.
    """
    return Z / (samples + Z**2) * (samples * share * (1 - share) + Z**2 / 4) ** 0.5


def written(value: float) -> str:
    """Write a metric with four decimals; one that these would hide, or a very large one, with four digits."""
    return f"{value:.4f}" if value == 0 or SMALL <= abs(value) < LARGE else f"{value:.4g}"


def with_error(value: float, samples: int | None) -> str:
    """Write a metric; with half its interval if it is a share of so many samples."""
    if not samples:
        return written(value)
    return f"{value:.4f} +- {half_interval(value, samples):.4f} (95 %, sampling of {samples:,})"
