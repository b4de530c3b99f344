"""The name of a run: what was typed for it, as a folder's name and a curve's label."""

import hashlib
import re
from collections import Counter

LIMIT = 120
UNNAMED = ("experiment", "hparams_search", "task_name", "tags")
"""Keys that name the sweep, or nothing at all; its folder carries them already."""


def run_name(overrides: list[str]) -> str:
    """Join the overrides, sorted, as ``lr=0.01,optimizer=sgd``.

    A key is cut down to its last part where that says enough. Characters that a path or a shell treats
    specially become ``-``; a name that lost something by that, or by the limit of 120 characters, ends in
    a hash of what was typed, so that other overrides always have another name.
    """
    pairs = sorted(o.lstrip("+~").partition("=")[::2] for o in overrides)
    named = [(key, value) for key, value in pairs if key not in UNNAMED]
    last_parts = Counter(key.rpartition(".")[2] for key, _ in named)
    exact = ",".join(f"{short(key, last_parts)}={brackets_off(value)}" for key, value in named) or "defaults"
    legible = re.sub(r"[^\w.,=+-]", "-", exact)
    if legible == exact and len(exact) <= LIMIT:
        return exact
    digest = hashlib.sha256(repr(named).encode()).hexdigest()[:8]
    return f"{legible[: LIMIT - 9]}~{digest}"


def short(key: str, last_parts: Counter[str]) -> str:
    """Return the last part of a dotted key, or all of it where two keys end alike."""
    last = key.rpartition(".")[2]
    return last if last_parts[last] == 1 else key


def brackets_off(value: str) -> str:
    """Write a list as ``256+128``: brackets and commas have meanings of their own in a path."""
    inner = re.fullmatch(r"\[([\w.,+ -]*)\]", value)
    return inner[1].replace(" ", "").replace(",", "+") or "none" if inner else value
