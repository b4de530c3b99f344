"""The losses and penalties that torch lacks."""

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, one_hot


class OneHotMSE(nn.Module):
    """Mean squared error between logits [batch, classes] and one-hot labels; smoothed likewise.

    As with ``nn.CrossEntropyLoss``, targets may be probabilities [batch, classes] instead of labels.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Return the mean over batch and classes, a scalar."""
        classes = logits.shape[1]
        if not targets.is_floating_point():
            targets = one_hot(targets, classes).to(logits.dtype)
        return mse_loss(logits, targets.lerp(torch.full_like(targets, 1 / classes), self.label_smoothing))


class L1Penalty(nn.Module):
    """``strength`` times the sum of the absolute weights of the dense layers, biases excepted."""

    def __init__(self, strength: float) -> None:
        super().__init__()
        self.strength: Tensor
        self.on = strength > 0
        self.register_buffer("strength", torch.tensor(strength), persistent=False)

    def forward(self, loss: Tensor, net: nn.Module) -> Tensor:
        """Return the loss plus the penalty, a scalar; at strength 0 the loss itself."""
        weights = [p for p in net.parameters() if p.ndim > 1] if self.on else []
        return sum((self.strength * weight.abs().sum() for weight in weights), start=loss)
