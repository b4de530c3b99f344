"""The weights that conf/init describes."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from built import Build, options


@pytest.mark.parametrize(
    ("init", "std"),
    [
        pytest.param("xavier_normal", lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out)), id="xavier"),
        pytest.param("kaiming_normal", lambda fan_in, fan_out: math.sqrt(2 / fan_in), id="kaiming"),
        pytest.param("lecun_normal", lambda fan_in, fan_out: 1 / math.sqrt(fan_in), id="lecun"),
        pytest.param("normal", lambda fan_in, fan_out: 1.0, id="normal"),
        pytest.param("normal init.std=0.01", lambda fan_in, fan_out: 0.01, id="normal 0.01"),
    ],
)
def test_standard_deviation_of_every_layer(build: Build, init: str, std: Callable[[int, int], float]) -> None:
    for layer in build("model=wide", *f"init={init}".split()).dense_layers():
        expected = std(layer.in_features, layer.out_features)
        tolerance = 4 / math.sqrt(2 * layer.weight.numel())  # relative: four standard errors
        assert layer.weight.std().item() == pytest.approx(expected, rel=tolerance)
        assert layer.weight.mean().abs().item() < 4 * expected / math.sqrt(layer.weight.numel())
        assert layer.weight.abs().max().item() > 2.5 * expected  # normal, not uniform: that ends at 1.73


@pytest.mark.parametrize(
    ("init", "bound"),
    [
        pytest.param(
            "xavier_uniform", lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out)), id="xavier"
        ),
        pytest.param("kaiming_uniform", lambda fan_in, fan_out: math.sqrt(6 / fan_in), id="kaiming"),
        pytest.param("torch_default", lambda fan_in, fan_out: 1 / math.sqrt(fan_in), id="torch"),
    ],
)
def test_uniform_bounds_of_every_layer(build: Build, init: str, bound: Callable[[int, int], float]) -> None:
    for layer in build("model=wide", f"init={init}").dense_layers():
        expected = bound(layer.in_features, layer.out_features)
        largest = layer.weight.abs().max().item()
        assert 0.99 * expected < largest <= expected * (1 + 1e-6)
        assert layer.weight.std().item() == pytest.approx(expected / math.sqrt(3), rel=0.05)


@pytest.mark.parametrize(
    ("activation", "init", "gain"),
    [
        pytest.param("relu", "kaiming_normal", math.sqrt(2), id="relu"),
        pytest.param("leaky_relu", "kaiming_normal", math.sqrt(2), id="leaky_relu"),
        pytest.param("gelu", "kaiming_normal", math.sqrt(2), id="gelu"),
        pytest.param("elu", "kaiming_normal", math.sqrt(2), id="elu"),
        pytest.param("selu", "kaiming_normal", 3 / 4, id="selu"),
        pytest.param("sigmoid", "kaiming_normal", 1, id="sigmoid"),
        pytest.param("tanh", "kaiming_normal", 5 / 3, id="tanh"),
        pytest.param("tanh", "kaiming_uniform", 5 / 3, id="tanh, uniform"),
    ],
)
def test_kaiming_has_the_gain_of_the_activation(
    build: Build, activation: str, init: str, gain: float
) -> None:
    for layer in build(f"activation={activation}", f"init={init}").dense_layers():
        assert layer.weight.std().item() * math.sqrt(layer.in_features) == pytest.approx(gain, rel=0.08)


def test_orthogonal_rows_or_columns_are_orthonormal(build: Build) -> None:
    for layer in build("init=orthogonal", "model.hidden_sizes=[64,128]").dense_layers():
        weight = layer.weight if layer.out_features <= layer.in_features else layer.weight.T
        torch.testing.assert_close(weight @ weight.T, torch.eye(len(weight)), atol=1e-5, rtol=0)


def test_torch_default_is_what_linear_does_by_itself(build: Build) -> None:
    net = build("init=torch_default", "regularization=[batch_norm,dropout]", seed=3)
    torch.manual_seed(3)
    plain = [nn.Linear(inputs, outputs) for inputs, outputs in pairwise([784, 256, 128, 10])]
    for ours, theirs in zip(net.dense_layers(), plain, strict=True):
        assert torch.equal(ours.weight, theirs.weight)
        assert torch.equal(ours.bias, theirs.bias)
        assert theirs.bias.count_nonzero() > 0


@pytest.mark.parametrize("init", [name for name in options("init") if name != "torch_default"])
def test_biases_are_zero(build: Build, init: str) -> None:
    assert all(layer.bias.count_nonzero() == 0 for layer in build(f"init={init}").dense_layers())


@pytest.mark.parametrize("init", [name for name in options("init") if name != "zeros"])
def test_seed_draws_the_weights(build: Build, init: str) -> None:
    first, again, other = (build(f"init={init}", seed=seed).output.weight for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_zeros_stay_at_chance(build: Build, activation: str) -> None:
    net = build("init=zeros", f"activation={activation}")
    assert all(parameter.count_nonzero() == 0 for parameter in net.parameters())
    loss = cross_entropy(net(torch.rand(30, 1, 28, 28)), torch.arange(30) % 9)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(10), abs=1e-6)
    assert all(gradient(layer.weight).count_nonzero() == 0 for layer in net.dense_layers())
    assert gradient(net.output.bias).count_nonzero() == 10  # the only ones that learn


def gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
