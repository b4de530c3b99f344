"""What a configuration raises that cannot be used, and what it says to somebody who misspelt a name."""

import difflib
from collections.abc import Callable, Iterable
from typing import Any


class ConfigError(ValueError):
    """A value that cannot be used; the message says what was given, what is needed and what to type."""


def needed(name: str, value: Any, good: Callable[[Any], bool], what: str, example: float) -> None:
    """Refuse a number that is not what is needed; it must be a whole one if the example is (ConfigError)."""
    kinds = int if isinstance(example, int) else int | float
    if isinstance(value, bool) or not (isinstance(value, kinds) and good(value)):
        raise ConfigError(f"{name}={value}: needed: {what}. Type for example: {name}={example}")


def counted(count: int, noun: str) -> str:
    """Write a number of things, as in "1 run" and "1,200 runs"."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def one_of(given: str, known: Iterable[str]) -> str:
    """List what would have been right, the most similar first."""
    names = sorted(known)
    close = difflib.get_close_matches(given.lower(), names, n=1, cutoff=0.5)
    return "".join(f"Did you mean {name}? " for name in close) + f"Needed: one of {', '.join(names)}"
