"""torch's layers for many members at once: the same functions, faster under ``torch.func.vmap``.

A module of exactly one of these classes gets a subclass whose forward calls a function with a rule of its own
for stacked tensors. Any other module is left as it is; vmap knows what to do with it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from overnight.stacked.products import shared_inputs
from overnight.stacked.vmap import function_with

NUMBERS = 2**31  # how many ``random_`` draws from for an int32: all that are not negative


def dense(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return the products [members, batch, outputs] with the weights and biases of dense layers.

    Inputs that all members share, [batch, inputs], are multiplied with all weights in one wide product. In
    memory the batch comes last: so the gradients of the weights come out as the weights lie, without a copy.
    """
    if inputs.ndim < weight.ndim:
        wide = shared_inputs(weight.flatten(0, 1), bias.flatten(), inputs)
        return wide.view(*bias.shape, -1).transpose(1, 2)
    return torch.baddbmm(bias[:, :, None], weight, inputs.transpose(1, 2)).transpose(1, 2)


def batch_norm(
    inputs: Tensor,
    weight: Tensor,
    bias: Tensor,
    mean: Tensor,
    var: Tensor,
    training: bool,  # noqa: FBT001 - as torch has it
    momentum: float,
    epsilon: float,
) -> Tensor:
    """Return [members, batch, units] normalized: to batch norm, units of many nets are channels of one."""
    channels = inputs.transpose(1, 2).flatten(0, 1)[None]
    running = (mean.view(-1), var.view(-1))  # which it changes
    result = functional.batch_norm(
        channels, *running, weight.flatten(), bias.flatten(), training, momentum, epsilon
    )
    return result.view(len(inputs), inputs.shape[2], -1).transpose(1, 2)


def dropout(inputs: Tensor, probability: float, generators: Sequence[Generator]) -> Tensor:
    """Drop elements of [members, ...], and scale the others up; each member draws from its own generator."""
    drawn = torch.empty_like(inputs, dtype=torch.int32)
    for part, generator in zip(drawn, generators, strict=True):
        part.random_(generator=generator)  # takes a third of the time of bernoulli_
    kept = 1 - probability
    return inputs * (drawn < kept * NUMBERS).to(inputs.dtype).div_(kept)


def cross_entropy(outputs: Tensor, targets: Tensor, ignored: int, smoothing: float) -> Tensor:
    """Return the mean over the batch for each member; vmap itself would take five times as long."""
    each = targets.expand(len(outputs), -1)
    unreduced = functional.cross_entropy(
        outputs.transpose(1, 2), each, ignore_index=ignored, reduction="none", label_smoothing=smoothing
    )
    return unreduced.sum(1) / (each != ignored).sum(1)


DENSE, BATCH_NORM = function_with(dense, shares=True), function_with(batch_norm)
DROPOUT, CROSS_ENTROPY = function_with(dropout), function_with(cross_entropy)


class StackedLinear(nn.Linear):
    """A dense layer of [batch, inputs]."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Return the products of all members."""
        return DENSE(inputs, self.weight, self.bias)


class StackedBatchNorm1d(nn.BatchNorm1d):
    """Batch norm of [batch, units]."""

    def forward(self, inputs: Tensor) -> Tensor:
        """Normalize all members."""
        if self.training:
            self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
        running, settings = (self.running_mean, self.running_var), (self.training, self.momentum, self.eps)
        return BATCH_NORM(inputs, self.weight, self.bias, *running, *settings)


class StackedDropout(nn.Dropout):
    """Dropout with a generator for each member: what one of them draws, no other can change."""

    generators: Sequence[Generator]

    def forward(self, inputs: Tensor) -> Tensor:
        """Drop elements of all members; at probability 0 nothing is drawn."""
        return DROPOUT(inputs, self.p, self.generators) if self.training and self.p else inputs


class StackedCrossEntropyLoss(nn.CrossEntropyLoss):
    """Cross entropy of [batch, classes] and class indices [batch], or probabilities [batch, classes]."""

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the loss of each member; vmap itself is fast enough for probabilities."""
        if targets.is_floating_point():
            return super().forward(outputs, targets)
        return CROSS_ENTROPY(outputs, targets, self.ignore_index, self.label_smoothing)


def exchange_layers(module: nn.Module, generators: Sequence[Generator]) -> None:
    """Exchange the layers of a module for those above, in place; dropout is to draw from these generators."""
    for layer in module.modules():
        stacked, fits = EXCHANGED.get(type(layer), (None, None))
        if stacked and fits and fits(layer):
            layer.__class__ = stacked
        if isinstance(layer, StackedDropout):
            layer.generators = generators


EXCHANGED: dict[type, tuple[type, Callable[[Any], bool]]] = {
    nn.Linear: (StackedLinear, lambda layer: layer.bias is not None),
    nn.BatchNorm1d: (
        StackedBatchNorm1d,
        lambda layer: layer.affine and layer.track_running_stats and layer.momentum is not None,
    ),
    nn.Dropout: (StackedDropout, lambda layer: not layer.inplace),
    nn.CrossEntropyLoss: (
        StackedCrossEntropyLoss,
        lambda layer: layer.reduction == "mean" and layer.weight is None,
    ),
}
"""The class of a layer, the one that takes its place, and of which of them it can."""
