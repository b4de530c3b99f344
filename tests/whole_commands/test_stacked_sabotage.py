"""The proof of stacked training with a fault in it: each is noticed."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from overnight.stacked import batches, layers, loop, proof, stack, steps, traces, vmap
from overnight.stacked.member import Member
from overnight.stacked.proof import prove


def scaled(function: Callable[..., Tensor], factor: float) -> Callable[..., Tensor]:
    return lambda *arguments: function(*arguments) * factor


def without_bias_gradient(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    return layers.dense(inputs, weight, bias.detach())


def with_wrong_backward(inputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    product = layers.dense(inputs, weight, bias)
    return product.detach() + 1.001 * (product - product.detach())


def with_wrong_variance(inputs: Tensor, weight: Tensor, bias: Tensor, *others: Any) -> Tensor:
    mean, var, training, momentum, eps = others
    result = layers.batch_norm(inputs, weight, bias, mean, var, training, momentum, eps)
    if training:
        var.mul_(1.001)
    return result


def without_epsilon(*arguments: Any) -> Tensor:
    inputs, weight, bias, mean, var, training, momentum, _ = arguments
    return layers.batch_norm(inputs, weight, bias, mean, var, training, momentum, 0.0)


def summed(outputs: Tensor, targets: Tensor, *settings: Any) -> Tensor:
    return layers.cross_entropy(outputs, targets, *settings) * targets.shape[-1] / 64


def unsmoothed(outputs: Tensor, targets: Tensor, ignored: int, _: float) -> Tensor:
    return functional.cross_entropy(
        outputs.transpose(1, 2), targets.expand(len(outputs), -1), ignore_index=ignored, reduction="none"
    ).mean(1)


def shifted(loaders: Any, size: int) -> Any:
    return torch.split(torch.cat(list(batches.cut(loaders, size)), -1).roll(1, -1), size, -1)


def swapped(self: stack.Stack) -> None:
    for name in self.trained:
        for own, part in zip(self.own, self.state[name].grad.flip(0).unbind(), strict=True):  # type: ignore[union-attr]
            own[name].grad = part


def misplaced(_: steps.Kept, outputs: Any) -> Any:
    return {name: value.roll(1, 0) for name, value in outputs.items()}


def nothing(*_: Any, **__: Any) -> None:
    return None


def untold(members: Any, hook: str, *rest: Any) -> None:
    if "validation" not in hook:
        TELL(members, hook, *rest)


TELL, RULES, NORMALIZED = loop.tell, vmap.function_with, "regularization=batch_norm"
SABOTAGE: dict[str, tuple[Any, str, Any, str]] = {
    "a scale in the forward pass": (layers, "DENSE", RULES(scaled(layers.dense, 1 + 1e-6)), ""),
    "a scale in the backward pass": (layers, "DENSE", RULES(with_wrong_backward), ""),
    "no gradient of biases": (layers, "DENSE", RULES(without_bias_gradient), ""),
    "a wrong running variance": (
        layers,
        "BATCH_NORM",
        RULES(with_wrong_variance),
        "regularization=batch_norm",
    ),
    "no epsilon": (layers, "BATCH_NORM", RULES(without_epsilon), "regularization=batch_norm"),
    "a loss that depends on the batch's size": (layers, "CROSS_ENTROPY", RULES(summed), ""),
    "no smoothing": (layers, "CROSS_ENTROPY", RULES(unsmoothed), "label_smoothing=0.1"),
    "a shifted order": (loop, "cut", shifted, ""),
    "members mixed up": (stack.Stack, "hand_out_gradients", swapped, ""),
    "outputs of another member": (steps.Kept, "keep", misplaced, ""),
    "gradients that add up": (stack.Stack, "forget_gradients", nothing, ""),
    "an optimizer that does not step": (torch.optim.SGD, "step", nothing, ""),
    "a scheduler that does not step": (Member, "_schedule", nothing, "scheduler=one_cycle"),
    "validation in train mode": (steps.Steps, "eval", nothing, NORMALIZED),
    "a validation that is not told": (loop, "tell", untold, ""),
}


@pytest.mark.parametrize(("where", "name", "broken", "typed"), SABOTAGE.values(), ids=SABOTAGE)
def test_the_proof_notices_sabotage(
    where: Any, name: str, broken: Any, typed: str, configured: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, directory = configured(*typed.split())
    known = traces.ordinary(config, directory)
    monkeypatch.setattr(proof, "ordinary", lambda *_: known)
    monkeypatch.setattr(where, name, broken)
    with pytest.raises((ValueError, RuntimeError, KeyError)):
        prove([(config, directory)])
