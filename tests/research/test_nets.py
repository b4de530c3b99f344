"""The nets that conf/model and conf/activation describe."""

import hydra
import pytest
import torch
from torch import nn

from built import Build
from fcnlab.nets import FCN, ResidualBlock


def count_parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        pytest.param([], 235_146, id="default"),
        pytest.param(["model=logistic"], 7_850, id="logistic"),
        pytest.param(["model=small"], 50_890, id="small"),
        pytest.param(["model=deep"], 329_226, id="deep"),
        pytest.param(["model=wide"], 1_068_810, id="wide"),
        pytest.param(["model.hidden_sizes=[]"], 7_850, id="no hidden layer"),
        pytest.param(["regularization=batch_norm"], 235_146 + 2 * (256 + 128), id="batch norm"),
        pytest.param(["regularization=layer_norm"], 235_146 + 2 * (256 + 128), id="layer norm"),
        pytest.param(["regularization=[dropout,input_dropout]"], 235_146, id="dropout has none"),
        pytest.param(["model=residual"], 1_797_418, id="residual"),
        pytest.param(["model=residual", "model.hidden_layer.expansion=1"], 603_946, id="narrow residual"),
    ],
)
def test_parameter_counts(build: Build, overrides: list[str], expected: int) -> None:
    assert count_parameters(build(*overrides)) == expected


def test_without_hidden_layers_it_is_one_affine_map(build: Build) -> None:
    net = build("model.hidden_sizes=[]", "dropout=0.5", "regularization=batch_norm")
    images = torch.rand(4, 1, 28, 28)
    (dense,) = net.dense_layers()
    torch.testing.assert_close(net(images), images.flatten(1) @ dense.weight.T + dense.bias)


def test_dense_layers_come_in_order(build: Build) -> None:
    shapes = [tuple(layer.weight.shape) for layer in build("model.hidden_sizes=[7,5,3]").dense_layers()]
    assert shapes == [(7, 784), (5, 7), (3, 5), (10, 3)]


@pytest.mark.parametrize(
    ("regularization", "normalization"),
    [
        pytest.param("none", nn.Identity, id="none"),
        pytest.param("batch_norm", nn.BatchNorm1d, id="batch_norm"),
        pytest.param("layer_norm", nn.LayerNorm, id="layer_norm"),
    ],
)
def test_order_of_modules_in_a_hidden_layer(
    build: Build, regularization: str, normalization: type[nn.Module]
) -> None:
    net = build(f"regularization={regularization}")
    for layer in net.hidden:
        assert [type(module) for module in layer.children()] == [
            nn.Linear,
            normalization,
            nn.ReLU,
            nn.Dropout,
        ]


def test_activation_is_what_is_computed(build: Build) -> None:
    net = build("activation=tanh", "model.hidden_sizes=[5]")
    images = torch.rand(4, 1, 28, 28)
    first, output = net.dense_layers()
    torch.testing.assert_close(net(images), output(torch.tanh(first(images.flatten(1)))))


@pytest.mark.parametrize(
    ("dropout", "expected"),
    [
        pytest.param("0.3", [0.3, 0.3], id="one for all"),
        pytest.param("0", [0.0, 0.0], id="whole number"),
        pytest.param("[0.5,0.2]", [0.5, 0.2], id="one for each"),
    ],
)
def test_dropout_of_each_layer(build: Build, dropout: str, expected: list[float]) -> None:
    net = build(f"dropout={dropout}", "input_dropout=0.1")
    assert [module.p for module in net.modules() if isinstance(module, nn.Dropout)] == [0.1, *expected]


def test_input_dropout_drops_pixels_in_training_only(build: Build) -> None:
    net, ones = build("model=logistic", "input_dropout=0.25"), torch.ones(100, 1, 28, 28)
    dropped = net.input_dropout(ones)
    assert (dropped == 0).double().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(net.eval().input_dropout(ones), ones)


def blocks(net: FCN) -> list[ResidualBlock]:
    return [block for block in net.hidden if isinstance(block, ResidualBlock)]


def test_a_residual_block_whose_second_layer_is_zero_is_the_identity(build: Build) -> None:
    net = build("model=residual", "init=kaiming_normal", "activation=gelu")
    first, second = blocks(net)
    inputs = torch.rand(4, 256)
    assert not torch.allclose(second(inputs), inputs)
    for block in (first, second):
        nn.init.zeros_(block.narrow.weight)
    assert torch.equal(second(inputs), inputs)
    images = torch.rand(4, 784)
    assert torch.equal(first(images), first.skip(images))  # which changes the width


def test_a_residual_block_is_the_formula_of_its_paper(build: Build) -> None:
    _, block = blocks(build("model=residual", "activation=tanh"))
    widen, narrow, inputs = block.widen, block.narrow, torch.rand(4, 256)
    assert (widen.out_features, narrow.out_features) == (4 * 256, 256)
    normalized = (inputs - inputs.mean(1, keepdim=True)) / inputs.std(1, keepdim=True, unbiased=False)
    expected = inputs + narrow(torch.tanh(widen(normalized)))
    torch.testing.assert_close(block(inputs), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("typed", "normalization"),
    [
        pytest.param([], nn.LayerNorm, id="its own"),
        pytest.param(["regularization=batch_norm"], nn.BatchNorm1d, id="batch_norm"),
        pytest.param(["normalization._target_=torch.nn.Identity"], nn.Identity, id="off"),
    ],
)
def test_normalization_of_residual_blocks(
    build: Build, typed: list[str], normalization: type[nn.Module]
) -> None:
    net = build("model=residual", *typed)
    assert [type(block.normalization) for block in blocks(net)] == [normalization] * 2


@pytest.mark.parametrize(
    ("hidden_sizes", "dropout", "lengths"),
    [
        pytest.param("[256,128]", "[0.5,0.2,0.1]", "3 values for 2 hidden layers", id="too long"),
        pytest.param("[256,128,64]", "[0.5]", "1 values for 3 hidden layers", id="too short"),
        pytest.param("[]", "[0.5]", "1 values for 0 hidden layers", id="no hidden layer"),
    ],
)
def test_wrong_number_of_dropouts_is_refused(
    build: Build, hidden_sizes: str, dropout: str, lengths: str
) -> None:
    with pytest.raises(hydra.errors.InstantiationException) as refused:
        build(f"model.hidden_sizes={hidden_sizes}", f"dropout={dropout}")
    assert isinstance(refused.value.__cause__, ValueError)
    assert lengths in str(refused.value.__cause__)
