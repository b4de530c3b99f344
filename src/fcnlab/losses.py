"""The losses and penalties that torch lacks."""

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, one_hot


class MSE(nn.Module):
    """Mean squared error of outputs [batch, k]: to numbers [batch, k], or to smoothed one-hot labels [batch].

    As with ``nn.CrossEntropyLoss``, targets may be probabilities [batch, classes] instead of labels.
    """

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean over batch and outputs, a scalar."""
        classes = outputs.shape[1]
        if not targets.is_floating_point():
            targets = one_hot(targets, classes).to(outputs.dtype)
        return mse_loss(outputs, targets.lerp(torch.full_like(targets, 1 / classes), self.label_smoothing))


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
