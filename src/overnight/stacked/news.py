"""What a group tells of its training while it goes on, from whatever process."""

from typing import NamedTuple


class Epoch(NamedTuple):
    """A group has trained so many members for one more epoch."""

    group: int
    epoch: int
    members: int


class Trained(NamedTuple):
    """A group has trained all it is going to train."""

    group: int
