"""The FCN of many members at once: weights [members, out, in], one forward pass for all."""

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call

from fcnlab.nets import FCN, HiddenLayer

State = dict[str, Tensor]
"""Parameters and buffers by the names that they have in one net, each with a leading axis of members."""

PROBE = (3, 4)
"""Members and images with which ``acts_alone`` looks at a module."""


class Network:
    """Applies an FCN to the stacked states of many.

    Dense layers are batched products. What stands between them is the net's own module: applied to all
    members as it is where that is the same, and through ``torch.vmap`` otherwise.
    """

    def __init__(self, net: FCN) -> None:
        self.layers = [self._hidden(f"hidden.{n}", layer) for n, layer in enumerate(net.hidden)]

    def __call__(self, state: State, images: Tensor, drops: "Dropouts | None") -> Tensor:
        """Return the logits [members, batch, classes].

        Args:
            state: of all members.
            images: [batch, inputs] for all members, or [members, batch, inputs].
            drops: the dropout of training; None for evaluation.
        """
        hidden = images
        for layer in self.layers:
            hidden = layer(state, hidden, drops)
        return dense(state["output.weight"], state["output.bias"], hidden)

    @staticmethod
    def _hidden(prefix: str, layer: nn.Module) -> Callable[[State, Tensor, "Dropouts | None"], Tensor]:
        assert isinstance(layer, HiddenLayer)
        normalization, activation = (
            batched(f"{prefix}.{name}", module, layer.linear.out_features)
            for name, module in (("normalization", layer.normalization), ("activation", layer.activation))
        )

        def apply(state: State, hidden: Tensor, drops: "Dropouts | None") -> Tensor:
            product = dense(state[f"{prefix}.linear.weight"], state[f"{prefix}.linear.bias"], hidden)
            active = activation(state, normalization(state, product, drops), drops)
            return drops(active, layer.dropout.p) if drops else active

        return apply


def dense(weight: Tensor, bias: Tensor, inputs: Tensor) -> Tensor:
    """Return the products [members, batch, outputs] of weights [members, outputs, inputs].

    Inputs that all members share, [batch, inputs], are multiplied with all weights in one wide product.
    """
    if inputs.ndim == 2:  # noqa: PLR2004
        wide = nn.functional.linear(inputs, weight.flatten(0, 1), bias.flatten())
        return wide.unflatten(1, bias.shape).transpose(0, 1)
    return torch.baddbmm(bias[:, None], inputs, weight.transpose(1, 2))


Batched = Callable[[State, Tensor, "Dropouts | None"], Tensor]


def batched(prefix: str, module: nn.Module, width: int) -> Batched:
    """Return what applies the module to [members, batch, width], each with its own state."""
    names = [name for name, _ in (*module.named_parameters(), *module.named_buffers())]
    if not names and acts_alone(module, width):
        return lambda state, hidden, drops: module(hidden)

    def one(own: State, hidden: Tensor) -> Tensor:
        result: Tensor = functional_call(module, own, (hidden,))
        return result

    every = torch.vmap(one)

    def apply(state: State, hidden: Tensor, drops: "Dropouts | None") -> Tensor:
        module.train(drops is not None)
        return every({name: state[f"{prefix}.{name}"] for name in names}, hidden)

    return apply


def acts_alone(module: nn.Module, width: int) -> bool:
    """Tell whether a module without state does the same to all members at once as to each of them."""
    sample = torch.randn(*PROBE, width, generator=Generator().manual_seed(0))
    together, alone = module(sample), torch.stack([module(member) for member in sample])
    return torch.equal(together, alone)


class Dropouts:
    """Dropout with a generator for each member: what one member draws, no other member can change.

    On the CPU these are the masks that ``torch.nn.Dropout`` would draw from the same generator.
    """

    def __init__(self, generators: Sequence[Generator]) -> None:
        self.generators = generators

    def __call__(self, hidden: Tensor, probability: float) -> Tensor:
        """Drop elements of [members, batch, width], and scale the others up."""
        if not probability:
            return hidden
        kept = torch.empty(hidden.shape, dtype=hidden.dtype, device=hidden.device)
        for mask, generator in zip(kept, self.generators, strict=True):
            mask.bernoulli_(1 - probability, generator=generator)
        return hidden * kept.div_(1 - probability)
