"""One epoch of 784-256-128-10 at batch 128 with the least that it takes: the products, a loop around them."""

import time
from itertools import pairwise

import torch
from torch import Tensor, nn

SIZES = (784, 256, 128, 10)
BATCH = 128


def matrix_products(pixels: Tensor, labels: Tensor) -> float:
    """Forward, gradient of the weights, gradient of the inputs (but not of the images); no bias, no loss."""
    weights = [torch.randn(inputs, outputs) / inputs**0.5 for inputs, outputs in pairwise(SIZES)]
    batches = pixels.flatten(1).split(BATCH)
    start = time.perf_counter()
    for batch in batches:
        inputs = [batch]
        for weight in weights:
            inputs.append(inputs[-1] @ weight)
        gradient = inputs.pop()
        for weight, layer_input in zip(reversed(weights[1:]), reversed(inputs[1:]), strict=True):
            _ = layer_input.t() @ gradient
            gradient = gradient @ weight.t()
        _ = inputs[0].t() @ gradient
    return time.perf_counter() - start


def network() -> nn.Sequential:
    """Return the network as anybody would write it down."""
    first, second, third = (nn.Linear(inputs, outputs) for inputs, outputs in pairwise(SIZES))
    return nn.Sequential(nn.Flatten(), first, nn.ReLU(), second, nn.ReLU(), third)


def bare_loop(pixels: Tensor, labels: Tensor) -> float:
    """Shuffle, index, forward, backward, fused Adam: nothing is measured or logged."""
    net = network()
    optimizer = torch.optim.Adam(net.parameters(), fused=True)
    start = time.perf_counter()
    for positions in torch.randperm(len(pixels)).split(BATCH):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(pixels[positions]), labels[positions])
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start
