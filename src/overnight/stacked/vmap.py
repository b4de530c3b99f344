"""``torch.vmap`` with less Python at each step: torch's private functions for it stand here, and only here.

Of the 11 ms of a step of five ``fcn``, the public ones take 0.3 more: ``vmap`` looks through nested
arguments; an ``autograd.Function`` with a rule for vmap takes 0.2 more, ``functional_call`` 0.3.
"""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch._C import _functorch

Rule = Callable[..., Tensor]


@cache
def load_decompositions() -> None:
    """Let torch load the rules of some operators, as it does at the first call of vmap."""
    torch.vmap(torch.neg)(torch.zeros(1))


class Level:
    """A level of vmap: while it is entered, a tensor can stand for those of so many members."""

    def __init__(self, number: int) -> None:
        self.number = number
        load_decompositions()

    def __enter__(self) -> Self:
        self.level = _functorch._vmap_increment_nesting(self.number, "error")  # noqa: SLF001
        return self

    def __exit__(self, *_: object) -> None:
        _functorch._vmap_decrement_nesting()  # noqa: SLF001

    def batched(self, tensor: Tensor) -> Tensor:
        """Return what stands for each member's part of a tensor [members, ...]."""
        return _functorch._add_batch_dim(tensor, 0, self.level)  # noqa: SLF001

    def unbatched(self, tensor: Tensor) -> Tensor:
        """Return the tensor [members, ...] behind what stands for it; what all share is repeated."""
        return _functorch._remove_batch_dim(tensor, self.level, self.number, 0)  # noqa: SLF001

    def hold(self, module: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Let a module's parameters and buffers stand for those of a state [members, ...], here and later."""
        for name, tensor in state.items():
            path, _, own = name.rpartition(".")
            owner = module.get_submodule(path)
            tensors: dict[str, Any] = owner._parameters if own in owner._parameters else owner._buffers  # noqa: SLF001
            tensors[own] = self.batched(tensor)


def function_with(rule: Rule, *, shares: bool = False) -> Callable[..., Tensor]:
    """Return a function for use within a ``Level``.

    Args:
        rule: takes its tensors with the axis of members first, those that are shared without one; returns a
            tensor with that axis first.
        shares: whether the first tensor may be one that is shared; else each member is given it.
    """

    def call(first: Tensor, *others: Any) -> Tensor:
        vmap = _functorch.peek_interpreter_stack()
        level = vmap.level()
        inputs, dim = members_first(first, level)
        if dim is None and not shares:
            number = _functorch.CVmapInterpreterPtr(vmap).batchSize()
            inputs = inputs.expand(number, *inputs.shape)
        rest = [members_first(other, level)[0] if isinstance(other, Tensor) else other for other in others]
        outside = _functorch.pop_dynamic_layer_stack()
        try:
            result = rule(inputs, *rest)
        finally:
            _functorch.push_dynamic_layer_stack(outside)
        return _functorch._add_batch_dim(result, 0, level)  # noqa: SLF001

    return call


def members_first(one: Tensor, level: int) -> tuple[Tensor, int | None]:
    """Return the tensor of all members behind what stands for it, and None if all share it."""
    tensor, dim = _functorch._unwrap_batched(one, level)  # noqa: SLF001
    return tensor.movedim(dim, 0) if dim else tensor, dim
