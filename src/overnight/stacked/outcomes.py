"""What many members' batches gave: their losses and hits, reduced once at the end of a pass."""

import torch
from torch import Tensor


class Outcomes:
    """As ``fcnlab.outcomes.Outcomes``, with a leading axis of members.

    It has room for all batches from the start. A small tensor kept from every step would lie between the
    large ones that are freed, and the next step's would no longer fit there: memory grows by gigabytes.

    Args:
        members: how many.
        batches: how many of them will be added.
        device: of the losses and logits.
    """

    def __init__(self, members: int, batches: int, device: torch.device) -> None:
        self.losses = torch.zeros(batches, members, device=device)
        self.hits = torch.zeros(members, dtype=torch.int64, device=device)
        self.sizes: list[int] = []

    def add(self, losses: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Keep of a batch the mean losses [members], and how many of the logits' maxima are right.

        ``max`` finds the first of the largest as ``argmax`` does, and with the batch last in memory, as the
        network leaves the logits, in a twentieth of the time.
        """
        self.losses[len(self.sizes)] = losses.detach()
        self.hits += (logits.detach().transpose(1, 2).max(1).indices == labels).sum(-1)
        self.sizes.append(labels.shape[-1])

    def steps(self) -> Tensor:
        """Return the loss of each batch, float64 [members, batches]."""
        return self.losses.t().double().cpu()

    def means(self) -> list[dict[str, float]]:
        """Return each member's mean loss and accuracy over images."""
        sizes = torch.tensor(self.sizes, dtype=torch.float64)
        losses = self.steps() @ sizes / sizes.sum()
        accuracies = self.hits.cpu().float() / sum(self.sizes)
        return [
            {"loss": loss, "acc": round(accuracy, 6)}
            for loss, accuracy in zip(losses.tolist(), accuracies.tolist(), strict=True)
        ]
