"""The layers of stacked members: products and dropout."""

from functools import partial

import pytest
import torch
from scipy.stats import binomtest
from torch import Generator
from torch.func import functional_call
from torch.testing import assert_close

from overnight.stacked.layers import dropout, exchange_layers
from overnight.stacked.products import shared_inputs
from overnight.stacked.vmap import Level, function_with

MEMBERS, WIDTH, INPUTS = 5, 100, 784


@pytest.mark.parametrize("batch", [1, 112, 128])
def test_the_wide_product_and_its_gradients_are_those_of_a_dense_layer(batch: int) -> None:
    weight, bias = torch.randn(WIDTH, INPUTS, requires_grad=True), torch.randn(WIDTH, requires_grad=True)
    images, gradient = torch.randn(batch, INPUTS), torch.randn(batch, WIDTH)
    found = torch.autograd.grad(shared_inputs(weight, bias, images).t(), (weight, bias), gradient)
    logits = torch.nn.functional.linear(images.double(), weight.double(), bias.double())
    assert_close(shared_inputs(weight, bias, images).t().double(), logits, rtol=1e-5, atol=1e-4)
    assert_close(found[0].double(), gradient.double().t() @ images.double(), rtol=1e-5, atol=1e-4)
    assert_close(found[1], gradient.sum(0))


@pytest.mark.parametrize("batch", [1, 112, 128, 1000])
def test_what_the_wide_product_gives_a_member_depends_on_no_other(batch: int) -> None:
    weight, bias = torch.randn(MEMBERS * WIDTH, INPUTS), torch.randn(MEMBERS * WIDTH)
    images, gradient = torch.randn(batch, INPUTS), torch.randn(MEMBERS * WIDTH, batch)

    def first(members: int) -> tuple[torch.Tensor, ...]:
        rows = slice(members * WIDTH)
        leaf = weight[rows].clone().requires_grad_()
        logits = shared_inputs(leaf, bias[rows], images)
        return logits[:WIDTH], torch.autograd.grad(logits, leaf, gradient[rows])[0][:WIDTH]

    for members in range(1, MEMBERS):
        for ours, of_all in zip(first(members), first(MEMBERS), strict=True):
            assert torch.equal(ours, of_all)


def step(images: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return (images @ weight).relu().square().sum()


def test_a_level_does_what_vmap_does() -> None:
    weight, images = torch.randn(MEMBERS, 4, 3, requires_grad=True), torch.randn(8, 4)
    with Level(MEMBERS) as level:
        ours, shared = level.unbatched(step(images, level.batched(weight))), level.unbatched(images)
    theirs = torch.vmap(step, in_dims=(None, 0))(images, weight)
    assert torch.equal(ours, theirs)
    assert torch.equal(shared, images.expand(MEMBERS, 8, 4))
    assert_close(torch.autograd.grad(ours.sum(), weight), torch.autograd.grad(theirs.sum(), weight))


def test_a_level_refuses_random_numbers_as_vmap_does() -> None:
    with pytest.raises(RuntimeError, match="randomness"), Level(MEMBERS):
        torch.rand(3)
    torch.rand(3)


@pytest.mark.parametrize(("shares", "seen"), [(True, (8, 4)), (False, (MEMBERS, 8, 4))])
def test_a_rule_sees_all_members(shares: bool, seen: tuple[int, ...]) -> None:
    shapes = []

    def rule(inputs: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        shapes.append((inputs.shape, weight.shape))
        return inputs @ weight

    weight, images = torch.randn(MEMBERS, 4, 3), torch.randn(8, 4)
    with Level(MEMBERS) as level:
        product = function_with(rule, shares=shares)(images, level.batched(weight))
        assert product.shape == (8, 3)
        assert torch.equal(level.unbatched(product), images @ weight)
    assert shapes == [(seen, weight.shape)]


def generators(*seeds: int) -> list[Generator]:
    return [Generator().manual_seed(seed) for seed in seeds]


@pytest.mark.parametrize("probability", [0.1, 0.3, 0.5, 0.9])
def test_dropout_drops_as_often_as_asked_and_scales_the_rest(probability: float) -> None:
    hidden = torch.ones(3, 64, 500, requires_grad=True)
    dropped = dropout(hidden, probability, generators(0, 1, 2))
    assert dropped.unique().tolist() == [0, pytest.approx(1 / (1 - probability))]
    for part in dropped:
        lost = int((part == 0).sum())
        assert binomtest(lost, part.numel(), probability).pvalue > 1e-4
    dropped.sum().backward()
    assert hidden.grad is not None
    assert torch.equal(hidden.grad, dropped)


def test_dropout_masks_come_from_each_members_generator_and_are_new_each_time() -> None:
    hidden = torch.ones(2, 20, 30)
    drawing = generators(1, 2)
    first, second = (dropout(hidden, 0.5, drawing) for _ in range(2))
    assert not torch.equal(first, second)
    assert not torch.equal(first[0], first[1])
    swapped = dropout(hidden, 0.5, generators(2, 1))
    assert torch.equal(swapped, first.flip(0))
    batch_last = torch.ones(2, 30, 20).transpose(1, 2)
    assert dropout(batch_last, 0.5, generators(1, 2)).stride() == batch_last.stride()


def test_inputs_that_all_members_share_are_dropped_for_each() -> None:
    linear = torch.nn.Linear(30, 4)
    layer = torch.nn.Sequential(torch.nn.Dropout(0.5), linear)
    drawing = generators(1, 2)
    exchange_layers(layer, drawing)
    images = torch.ones(2, 30)  # as many as members: nothing may be taken for the axis of members
    state = {name: tensor.expand(2, *tensor.shape) for name, tensor in layer.named_parameters()}
    found = torch.vmap(partial(functional_call, layer), in_dims=(0, None))(state, (images,))
    mask = dropout(torch.ones(2, 2, 30), 0.5, generators(1, 2))
    assert_close(found, torch.nn.functional.linear(mask, linear.weight, linear.bias))
