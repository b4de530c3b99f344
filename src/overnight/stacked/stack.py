"""The parameters and buffers of many modules side by side, of which each module's own are views."""

from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor, nn

State = dict[str, Tensor]
"""Parameters and buffers by the names that they have in one module, each with a leading axis of members."""


class Stack:
    """Moves the parameters and buffers of modules of one kind into common storage.

    A module's own parameters become views into it, and their gradients views into the common gradients: an
    optimizer of that module alone does what it always does.

    Attributes:
        state: name -> [members, ...]; the parameters that are trained are leaves that require gradients.
    """

    def __init__(self, modules: Sequence[nn.Module], device: torch.device) -> None:
        self.own = [named_tensors(module) for module in modules]
        self.state = {name: stacked([own[name] for own in self.own], device) for name in self.own[0]}
        self.trained = [name for name, tensor in self.own[0].items() if tensor.requires_grad]
        for name in self.trained:
            self.state[name].requires_grad_()

    def forget_gradients(self) -> None:
        """Let the next gradients be new ones and not sums."""
        for name in self.trained:
            self.state[name].grad = None

    def hand_out_gradients(self) -> None:
        """Give each module its part of the gradients; a parameter that no loss depends on has none."""
        for name in self.trained:
            gradient = self.state[name].grad
            parts = [None] * len(self.own) if gradient is None else gradient.unbind()
            for own, part in zip(self.own, parts, strict=True):
                own[name].grad = part


def named_tensors(module: nn.Module) -> State:
    """Return the parameters and buffers by name."""
    return dict(chain(module.named_parameters(), module.named_buffers()))


def load(modules: Sequence[nn.Module], state: State) -> None:
    """Give each module its part of a state; of more members, the first ones' parts."""
    with torch.no_grad():
        for member, module in enumerate(modules):
            for name, tensor in named_tensors(module).items():
                tensor.copy_(state[name][member])


def stacked(own: Sequence[Tensor], device: torch.device) -> Tensor:
    """Copy the tensors into one, and let them be views into it."""
    together = torch.stack([tensor.detach().to(device) for tensor in own])
    for tensor, part in zip(own, together.unbind(), strict=True):
        tensor.data = part
    return together
