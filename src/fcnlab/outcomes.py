"""What the batches of one pass gave, reduced once at its end."""

import torch
from torch import Tensor
from torchmetrics.functional.classification import multiclass_accuracy


class Outcomes:
    """The losses and predictions of the batches of one pass."""

    def __init__(self) -> None:
        self.losses: list[Tensor] = []
        self.predictions: list[Tensor] = []
        self.labels: list[Tensor] = []

    def add(self, loss: Tensor, logits: Tensor, labels: Tensor) -> None:
        """Keep what is needed of one batch: its mean loss, and the predicted and true classes [batch]."""
        self.losses.append(loss.detach())
        self.predictions.append(logits.detach().argmax(1))
        self.labels.append(labels)
        self.classes = logits.shape[1]

    def mean(self) -> dict[str, float]:
        """Return the mean loss and the accuracy over images (not over batches)."""
        sizes = torch.tensor([len(labels) for labels in self.labels], dtype=torch.float64)
        losses = torch.stack(self.losses).double().cpu()
        correct = multiclass_accuracy(
            torch.cat(self.predictions), torch.cat(self.labels), self.classes, average="micro"
        )
        return {"loss": float(losses @ sizes / sizes.sum()), "acc": round(correct.item(), 6)}
