"""What the targets are, and so what the net's outputs mean: classes or numbers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from overnight.config.errors import ConfigError


class Classes(nn.Module):
    """Class indices [batch]; the outputs are logits [batch, classes]."""

    def learned(self, targets: Tensor) -> Tensor:
        """Return what the loss compares the outputs with."""
        return targets

    def measured(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the metrics compare; targets that are no labels are refused (ConfigError)."""
        if targets.is_floating_point():
            raise ConfigError(
                f"the targets are {targets.dtype} {list(targets.shape)}, and no labels. Needed: whole "
                f"numbers [n]; of one-hot targets, targets.argmax(1). To learn numbers, type: loss=mse "
                f"metrics=regression"
            )
        return outputs.float(), targets

    def predicted(self, outputs: Tensor) -> Tensor:
        """Return the probabilities [batch, classes]."""
        return outputs.softmax(1)


class Numbers(nn.Module):
    """Numbers [batch] or [batch, k]; the outputs [batch, k] are standardized ones.

    Thus the loss has the same scale whatever the units, while metrics and predictions are in these units.

    Args:
        mean: of the targets in the training part, k numbers.
        std: their standard deviations.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("std", torch.tensor(std), persistent=False)

    def learned(self, targets: Tensor) -> Tensor:
        """Return the targets standardized [batch, k]."""
        return (targets.reshape(len(targets), -1) - self.mean) / self.std

    def measured(self, outputs: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return both in the units of the targets, in float64: R2 subtracts sums of large squares."""
        return self.predicted(outputs.double()), targets.double().reshape(len(targets), -1).squeeze(1)

    def predicted(self, outputs: Tensor) -> Tensor:
        """Return the predictions in the units of the targets, [batch, k], or [batch] if k is 1."""
        return (outputs * self.std + self.mean).squeeze(1)


def refuse_outputs(outputs: Any, samples: int, net: nn.Module) -> None:
    """Refuse outputs of a net that are no tensor of floats with a row for each sample (ConfigError)."""
    given = (
        f"{outputs.dtype} {list(outputs.shape)}" if isinstance(outputs, Tensor) else type(outputs).__name__
    )
    if not isinstance(outputs, Tensor) or not outputs.is_floating_point() or outputs.shape[:1] != (samples,):
        raise ConfigError(
            f"{type(net).__name__} gives {given} for a batch of {samples} samples. Needed: floats [batch, "
            f"classes], without a softmax, or [batch, k] for numbers"
        )
