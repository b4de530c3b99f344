"""The FCN of many members at once: weights [members, outputs, inputs], one forward pass for all."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call

from fcnlab.nets import FCN, HiddenLayer
from overnight.stacked.modes import Mode
from overnight.stacked.products import shared_inputs

State = dict[str, Tensor]
"""Parameters and buffers by the names that they have in one net, each with a leading axis of members."""

PROBE = (3, 4)
"""Members and images with which ``acts_alone`` looks at a module."""


Batched = Callable[[State, Tensor, Mode], Tensor]
"""Applies a module to [members, batch, width], with the state of each."""


class Network:
    """Applies an FCN to the stacked states of many: images to logits [members, batch, classes].

    Images are [batch, inputs] for all members, or [members, batch, inputs]. Dense layers are batched
    products. What stands between them is the net's own modules.
    """

    def __init__(self, net: nn.Module) -> None:
        assert isinstance(net, FCN)
        self.layers = [hidden_layer(f"hidden.{n}", layer) for n, layer in enumerate(net.hidden)]

    def __call__(self, state: State, images: Tensor, mode: Mode) -> Tensor:
        """Return the logits."""
        hidden = images
        for layer in self.layers:
            hidden = layer(state, hidden, mode)
        return dense(state, "output", hidden)


def hidden_layer(prefix: str, layer: nn.Module) -> Batched:
    """Return what applies a hidden layer of this name."""
    assert isinstance(layer, HiddenLayer)
    width, probability = layer.linear.out_features, layer.dropout.p
    normalization = batched(f"{prefix}.normalization", layer.normalization, width)
    activation = batched(f"{prefix}.activation", layer.activation, width)

    def apply(state: State, hidden: Tensor, mode: Mode) -> Tensor:
        product = dense(state, f"{prefix}.linear", hidden)
        return mode.drop(activation(state, normalization(state, product, mode), mode), probability)

    return apply


def dense(state: State, name: str, inputs: Tensor) -> Tensor:
    """Return the products [members, batch, outputs] with the weights and biases of a dense layer.

    Inputs that all members share, [batch, inputs], are multiplied with all weights in one wide product. In
    memory the batch comes last: so the gradients of the weights come out as the weights lie, without a copy.
    """
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    if inputs.ndim < weight.ndim:
        wide = shared_inputs(weight.flatten(0, 1), bias.flatten(), inputs)
        return wide.view(*bias.shape, -1).transpose(1, 2)
    return torch.baddbmm(bias[:, :, None], weight, inputs.transpose(1, 2)).transpose(1, 2)


def batched(prefix: str, module: nn.Module, width: int) -> Batched:
    """Return what applies a module to all members: as it is where that is the same, else through vmap."""
    names = [name for name, _ in (*module.named_parameters(), *module.named_buffers())]
    if isinstance(module, nn.BatchNorm1d):
        return OverChannels(module, prefix, names)
    if not names and acts_alone(module, width):
        return Alone(module)
    precise = next((tensor.dtype for tensor in module.state_dict().values()), torch.float32)

    def one(own: State, hidden: Tensor) -> Tensor:
        result: Tensor = functional_call(module, own, (hidden,))
        return result

    every = torch.vmap(one)

    def apply(state: State, hidden: Tensor, mode: Mode) -> Tensor:
        module.train(mode.training)
        own = {name: state[f"{prefix}.{name}"] for name in names}
        return every(own, hidden.to(precise)).to(hidden.dtype)  # vmap has no kernels of mixed precision

    return apply


@dataclass
class OverChannels:
    """Batch normalization: to it, the units of many nets are the channels of one."""

    module: nn.BatchNorm1d
    prefix: str
    names: Sequence[str]

    def __call__(self, state: State, hidden: Tensor, mode: Mode) -> Tensor:
        """Apply it to all, as one image of [members x width] channels and with the batch as its pixels."""
        self.module.train(mode.training)
        own = {name: state[f"{self.prefix}.{name}"] for name in self.names}
        flat = {name: tensor.flatten(0, 1) if tensor.ndim > 1 else tensor for name, tensor in own.items()}
        channels = hidden.transpose(1, 2).flatten(0, 1)
        result: Tensor = functional_call(self.module, flat, (channels[None],))
        return result.view(len(hidden), hidden.shape[2], -1).transpose(1, 2)


@dataclass
class Alone:
    """A module that needs to know nothing of members."""

    module: nn.Module

    def __call__(self, state: State, hidden: Tensor, mode: Mode) -> Tensor:
        """Apply it to all."""
        result: Tensor = self.module(hidden)
        return result


def acts_alone(module: nn.Module, width: int) -> bool:
    """Tell whether a module without state does the same to all members at once as to each of them."""
    sample = torch.randn(*PROBE, width, generator=Generator().manual_seed(0))
    together, alone = module(sample), torch.stack([module(member) for member in sample])
    return torch.equal(together, alone)
