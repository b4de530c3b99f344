"""A metric of one's own."""

import torch
from torch import Tensor
from torchmetrics import Metric


class WorstClass(Metric):
    """The smallest recall of any class: the share of right answers where the network is weakest.

    Args:
        num_classes: how many there are.
    """

    right: Tensor
    total: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        for state in ("right", "total"):
            self.add_state(state, torch.zeros(num_classes, dtype=torch.long), dist_reduce_fx="sum")

    def update(self, logits: Tensor, targets: Tensor) -> None:
        """Count the right answers to a batch: logits [batch, classes] and labels [batch]."""
        hits = targets[logits.argmax(1) == targets]
        self.right += torch.bincount(hits, minlength=len(self.right))
        self.total += torch.bincount(targets, minlength=len(self.total))

    def compute(self) -> Tensor:
        """Return the smallest recall; a class without samples does not count."""
        return (self.right / self.total)[self.total > 0].min()
