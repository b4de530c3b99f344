"""What many members' batches gave: their losses and hits, reduced once at the end of a pass."""

import torch
from torch import Tensor


class Outcomes:
    """As ``fcnlab.task.Outcomes``, with a leading axis of members."""

    def __init__(self) -> None:
        self.losses: list[Tensor] = []
        self.hits: list[Tensor] = []
        self.sizes: list[int] = []

    def add(self, losses: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Keep of a batch the mean losses [members], and how many of the logits' maxima are right.

        ``max`` finds the first of the largest as ``argmax`` does, and with the batch last in memory, as the
        network leaves the logits, in a twentieth of the time.
        """
        self.losses.append(losses.detach())
        self.hits.append((logits.detach().transpose(1, 2).max(1).indices == labels).sum(-1))
        self.sizes.append(labels.shape[-1])

    def steps(self) -> Tensor:
        """Return the loss of each batch, float64 [members, batches]."""
        return torch.stack(self.losses, 1).double().cpu()

    def means(self) -> list[dict[str, float]]:
        """Return each member's mean loss and accuracy over images."""
        sizes = torch.tensor(self.sizes, dtype=torch.float64)
        losses = self.steps() @ sizes / sizes.sum()
        accuracies = torch.stack(self.hits).sum(0).cpu().float() / sum(self.sizes)
        return [
            {"loss": loss, "acc": round(accuracy, 6)}
            for loss, accuracy in zip(losses.tolist(), accuracies.tolist(), strict=True)
        ]
