"""The weights of many nets side by side, of which each net's own are views."""

from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor, nn


class Stack:
    """Moves the parameters and buffers of nets of one kind into common storage.

    A net's own parameters become views into it, and their gradients views into the common gradients: an
    optimizer of that net alone does what it always does.

    Attributes:
        state: name -> [nets, ...]; the parameters are leaves that require gradients.
    """

    def __init__(self, nets: Sequence[nn.Module], device: torch.device) -> None:
        self.own = [tensors(net) for net in nets]
        self.state = {name: stacked([own[name] for own in self.own], device) for name in self.own[0]}
        self.trained = [name for name, tensor in self.own[0].items() if isinstance(tensor, nn.Parameter)]
        for name in self.trained:
            self.state[name].requires_grad_()

    def forget_gradients(self) -> None:
        """Let the next gradients be new ones and not sums."""
        for name in self.trained:
            self.state[name].grad = None

    def hand_out_gradients(self) -> None:
        """Give each net its part of the gradients."""
        for name in self.trained:
            gradient = self.state[name].grad
            assert gradient is not None
            for own, part in zip(self.own, gradient.unbind(), strict=True):
                own[name].grad = part


def tensors(net: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and buffers by name."""
    return dict(chain(net.named_parameters(), net.named_buffers()))


def stacked(own: Sequence[Tensor], device: torch.device) -> Tensor:
    """Copy the tensors into one, and let them be views into it."""
    together = torch.stack([tensor.detach().to(device) for tensor in own])
    for tensor, part in zip(own, together.unbind(), strict=True):
        tensor.data = part
    return together
