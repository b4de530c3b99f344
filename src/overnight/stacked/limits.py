"""How many runs are trained together, and how many groups of them side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from overnight.config.resolvers import cores

SEVERAL = 6  # runs of which groups may be trained side by side, in other processes
FEW = 3  # members that a group should have at least
GB = 1e9


@dataclass(frozen=True)
class Limits:
    """What ``conf/hydra/launcher/stacked.yaml`` says; the launcher has checked it.

    Args:
        groups_at_a_time: trained side by side; None: one on a GPU, else as many as there are cores.
        max_members: of a group.
        memory_gb: that all groups side by side may need.
    """

    groups_at_a_time: int | None
    max_members: int
    memory_gb: float

    def aside(self, runs: int) -> bool:
        """Tell whether so many runs are trained in other processes than the one that starts them."""
        return self.groups_at_a_time != 1 and runs >= SEVERAL

    def side_by_side(self, memory: Sequence[int], *, on_cpu: bool) -> int:
        """Return how many groups of such runs to train at a time: fewer where they would be small.

        ``memory`` is what each of the runs needs, in bytes; it is the largest that counts.
        """
        room = self.memory_gb * GB / max(memory, default=1)
        return max(1, min(self.at_a_time(on_cpu=on_cpu), len(memory) // FEW, int(room / FEW)))

    def at_a_time(self, *, on_cpu: bool) -> int:
        """Return how many groups, or runs by themselves, the machine has processors for."""
        return self.groups_at_a_time or (cores() if on_cpu else 1)

    def members(self, memory: int, beside: int) -> int:
        """Return how many runs that need so many bytes a group may have, with so many groups at a time."""
        return max(1, min(self.max_members, int(self.memory_gb * GB / beside / memory)))


def number_of_groups(runs: int, most: int, beside: int) -> int:
    """Return how many groups to make of runs: so many, if they do not get too small, that no core idles."""
    fewest = math.ceil(runs / most)
    return max(fewest, min(math.ceil(fewest / beside) * beside, runs // FEW))
