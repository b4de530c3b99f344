"""What chooses the best: a metric's name as the module logs it, and which way is better."""

import re

SPLITS = ("train", "val", "test")
SPELLINGS = dict(zip(SPLITS, SPLITS, strict=True), training="train", valid="val", validation="val")
"""How a split may be spelt in the name of a metric."""

OWN = ("epoch", "lr", "seconds")
"""What a row of the history has besides metrics: these names are no metric's."""


def counterpart(metric: str, split: str) -> str:
    """Return the name of a validation metric on another split: ``Val/f1`` is ``Test/f1``."""
    return "".join(
        as_spelt(part, split) if SPELLINGS.get(part.lower()) == "val" else part for part in parts(metric)
    )


def as_spelt(part: str, split: str) -> str:
    """Write a split with capitals where another one has them."""
    return split.upper() if part.isupper() else split.capitalize() if part[0].isupper() else split


def split_and_name(metric: str) -> tuple[str, str]:
    """Return the split that a metric's name tells of, and the name without it.

    A name that tells of none gives ("", name);
    ``val_loss/dataloader_idx_0`` is ``loss/dataloader_idx_0`` of ``val``.
    """
    found = parts(metric)
    place = next((place for place, part in enumerate(found) if part.lower() in SPELLINGS), None)
    if place is None:
        return "", metric
    split = SPELLINGS[found[place].lower()]
    del found[place : place + 2]
    return split, "".join(found).rstrip("/_.- ")


def is_of_test(metric: str) -> bool:
    """Tell whether the name is that of a metric of the test set, which may choose nothing."""
    return "test" in parts(metric.lower())


def parts(metric: str) -> list[str]:
    """Return the words of a metric's name, with the signs between them."""
    return re.split(r"([/_.\- ])", metric)
