"""Text from a file that a terminal is shown: nothing in it may command that terminal."""

import re

CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters that command a terminal or turn the direction of writing."""
ESCAPED = re.compile(
    r"(\\\\)|\\[bf]|\\u(?:00(?:0[0-8bcef]|1[0-9a-f]|7f|[89][0-9a-f])|20(?:2[a-e]|6[6-9]))", re.IGNORECASE
)
"""JSON's escapes of them. The first group is that of a backslash: what stands after it is no escape."""


def printable(text: str) -> str:
    """Return a text without what would command the terminal that it is printed on."""
    return CONTROLS.sub("", text)


def printable_json(text: str) -> str:
    """Return JSON whose strings are ``printable``."""
    return ESCAPED.sub(r"\1", printable(text))
