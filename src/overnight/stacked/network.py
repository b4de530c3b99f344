"""A net of many members at once: weights [members, outputs, inputs], one forward pass for all."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call

from overnight.stacked.modes import Evaluation, Mode, Training
from overnight.stacked.products import shared_inputs

State = dict[str, Tensor]
"""Parameters and buffers by the names that they have in one net, each with a leading axis of members."""

PROBE = (3, 4)
"""Members and samples with which ``acts_alone`` looks at a module."""

CLOSE = {"rtol": 1e-4, "atol": 1e-5}
"""How far the outputs of a net and of its chain of layers may be apart, in fp32."""

Batched = Callable[[State, Tensor, Mode], Tensor]
"""Applies a module to [members, batch, width], with the state of each."""


class Network:
    """Applies a net to the stacked states of many: samples to outputs [members, batch, ...].

    The net has to be a chain: what it computes is its layers one after another, in the order in which it has
    them; ``check_chain`` sees to that. Samples are [batch, inputs] for all members, or one such for each.
    """

    def __init__(self, net: nn.Module) -> None:
        width, self.layers = 0, []
        for name, module in net.named_modules():
            if not list(module.children()) and type(module) is not nn.Flatten:
                width = module.out_features if type(module) is nn.Linear else width
                self.layers.append(layer(name, module, width))

    def __call__(self, state: State, samples: Tensor, mode: Mode) -> Tensor:
        """Return the outputs."""
        hidden = samples
        for apply in self.layers:
            hidden = apply(state, hidden, mode)
        return hidden


def check_chain(net: nn.Module, samples: Tensor) -> None:
    """Compare what a net computes with its chain of layers, in training without dropout and in evaluation.

    Args:
        net: is not changed.
        samples: [batch, ...], as its forward takes them.

    Raises:
        ValueError: they differ.
    """
    for mode in (Training([Generator(samples.device)]), Evaluation()):
        one = without_dropout(net).to(samples.device).train(mode.training)
        state = {name: tensor.detach()[None].clone() for name, tensor in named_tensors(one).items()}
        with torch.no_grad():
            chained = Network(one)(state, samples.flatten(1), mode)[0]
            if not torch.allclose(one.train(mode.training)(samples), chained, **CLOSE):
                raise ValueError(f"{type(net).__name__} does not compute its layers one after another")


def without_dropout(net: nn.Module) -> nn.Module:
    """Return a copy of the net that drops nothing."""
    copy = deepcopy(net)
    for module in copy.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return copy


def named_tensors(net: nn.Module) -> dict[str, Tensor]:
    """Return the parameters and buffers by name."""
    return dict(net.named_parameters()) | dict(net.named_buffers())


def layer(name: str, module: nn.Module, width: int) -> Batched:
    """Return what applies a layer of this name, behind a dense layer of this width, to all members."""
    kinds = {nn.Linear: Dense, nn.Dropout: Dropped, nn.BatchNorm1d: OverChannels}
    return kinds[type(module)](module, name) if type(module) in kinds else batched(name, module, width)


@dataclass
class Dense:
    """A dense layer."""

    module: nn.Linear
    name: str

    def __call__(self, state: State, hidden: Tensor, mode: Mode) -> Tensor:
        """Apply that of each member."""
        return dense(state, self.name, hidden)


@dataclass
class Dropped:
    """Dropout, with the same probability for all."""

    module: nn.Dropout
    name: str

    def __call__(self, state: State, hidden: Tensor, mode: Mode) -> Tensor:
        """Drop what each member's generator draws."""
        return mode.drop(hidden, self.module.p)


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
    names = list(named_tensors(module))
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
    name: str

    def __call__(self, state: State, hidden: Tensor, mode: Mode) -> Tensor:
        """Apply it to all, as one image of [members x width] channels and with the batch as its elements."""
        self.module.train(mode.training)
        own = {name: state[f"{self.name}.{name}"] for name in named_tensors(self.module)}
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
