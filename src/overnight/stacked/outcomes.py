"""What the batches of one pass gave for each of many members, measured once at its end."""

from collections.abc import Sequence

import lightning as L
import torch
from torch import Tensor

from overnight.training.rows import Row, plain_metrics


class Outcomes:
    """The losses and outputs of all members in one pass.

    It has room for all batches from the start. A small tensor kept from every step would lie between the
    large ones that are freed, and the next step's would no longer fit there: memory grows by gigabytes.

    Args:
        members: how many.
        sizes: samples in each batch that will be added.
        device: of the losses and outputs.
    """

    def __init__(self, members: int, sizes: Sequence[int], device: torch.device) -> None:
        self.sizes = torch.tensor(sizes)
        self.losses = torch.zeros(len(sizes), members, device=device)
        self.outputs = torch.empty(0, device=device)
        self.targets: list[Tensor] = []
        self.samples = 0

    def add(self, losses: Tensor, outputs: Tensor, targets: Tensor) -> None:
        """Keep of a batch the mean losses [members], the outputs [members, batch, ...] and the targets."""
        if not len(self.outputs):
            members, _, *shape = outputs.shape
            self.outputs = losses.new_empty(members, int(self.sizes.sum()), *shape, dtype=torch.float32)
        start, self.samples = self.samples, self.samples + outputs.shape[1]
        self.losses[len(self.targets)] = losses.detach()
        self.outputs[:, start : self.samples] = outputs.detach()
        self.targets.append(targets)

    def steps(self) -> Tensor:
        """Return the loss of each batch, float64 [members, batches]."""
        return self.losses.t().double().cpu()

    def measured(self, tasks: Sequence[L.LightningModule]) -> list[Row]:
        """Return what each member's task says of the pass."""
        targets = torch.cat(self.targets, dim=-1).expand(len(tasks), -1)
        return [
            plain_metrics(task.measured(losses, self.sizes, outputs, own))  # type: ignore[operator]
            for task, losses, outputs, own in zip(tasks, self.losses.t(), self.outputs, targets, strict=True)
        ]
