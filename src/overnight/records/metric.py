"""What chooses the best: a metric's name as the module logs it, and which way is better."""

import re

SPLITS = ("val", "validation", "valid")


def counterpart(metric: str, split: str) -> str:
    """Return the name of a validation metric on another split: ``val/f1`` is ``test/f1`` on test."""
    parts = re.split(r"([/_.\-])", metric)
    return "".join(split if part in SPLITS else part for part in parts)


def is_of_test(metric: str) -> bool:
    """Tell whether the name is that of a metric of the test set, which may choose nothing."""
    return "test" in re.split(r"[/_.\-]", metric.lower())


def better(mode: str | None, a: float, b: float) -> bool:
    """Tell whether a is better than b."""
    return a < b if mode == "min" else a > b
