"""What to say to somebody who typed a name that does not exist."""

import difflib
from collections.abc import Iterable


def one_of(given: str, known: Iterable[str]) -> str:
    """List what would have been right, the most similar first."""
    names = sorted(known)
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.5)
    return "".join(f"Did you mean {name}? " for name in close) + f"Needed: one of {', '.join(names)}"
