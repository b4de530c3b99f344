"""The product that most of an epoch goes into: of images that all members see, with the weights of all."""

from typing import Any

import torch
from torch import Tensor


def shared_inputs(weight: Tensor, bias: Tensor, inputs: Tensor) -> Tensor:
    """Return weight [units, inputs] times inputs [batch, inputs], transposed, plus bias: [units, batch]."""
    precise = weight.is_cpu and weight.dtype is torch.float32 and not torch.is_autocast_enabled("cpu")
    if precise and torch.backends.mkldnn.is_available():
        result: Tensor = OneDNN.apply(weight, bias, inputs)
        return result
    return torch.addmm(bias[:, None], weight, inputs.t())


class OneDNN(torch.autograd.Function):
    """The same in fp32 by oneDNN; torch itself hands such a product to MKL.

    On AMD's processors MKL does not use AVX-512, and takes twice as long.
    """

    @staticmethod
    def forward(ctx: Any, weight: Tensor, bias: Tensor, inputs: Tensor) -> Tensor:
        """Return [units, batch]; the inputs get no gradient."""
        ctx.save_for_backward(inputs)
        return product(weight, inputs).add_(bias[:, None])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return the gradients of weight and bias."""
        (inputs,), (gradient,) = ctx.saved_tensors, gradients
        return product(gradient, inputs.t()), gradient.sum(1), None


def product(left: Tensor, right: Tensor) -> Tensor:
    """Return left [m, k] times right [n, k], transposed: [m, n].

    This is the operator to which torch.compile translates a linear layer on the CPU. Eager torch has no
    other way to it without a copy of the weights.
    """
    result: Tensor = torch.ops.mkldnn._linear_pointwise(left, right, None, "none", [], "")  # noqa: SLF001
    return result
