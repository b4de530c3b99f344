"""The order of the samples, and their batches."""

from typing import Any

import pytest
import torch

from overnight.data.batches import Batches, InOrder, Samples, Shuffled


def test_order_depends_on_seed_and_epoch_alone() -> None:
    def order(seed: int, epoch: int) -> list[int]:
        shuffled = Shuffled(torch.arange(100), seed)
        shuffled.set_epoch(epoch)
        torch.rand(3)  # the global generator has no part in it
        return list(shuffled.positions().tolist())

    orders = [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert orders == [order(seed, epoch) for seed in range(3) for epoch in range(3)]
    assert len({tuple(positions) for positions in orders}) == 9


@pytest.mark.parametrize(
    ("size", "batch_size", "sizes"),
    [
        pytest.param(10, 4, [4, 4, 2], id="last one smaller"),
        pytest.param(12, 4, [4, 4, 4], id="all alike"),
        pytest.param(3, 4, [3], id="one batch"),
        pytest.param(3, 1, [1, 1, 1], id="one sample each"),
    ],
)
@pytest.mark.parametrize(
    "order", [InOrder, lambda positions: Shuffled(positions, 0)], ids=["in order", "shuffled"]
)
def test_batches_cover_every_sample_once(size: int, batch_size: int, sizes: list[int], order: Any) -> None:
    positions = torch.arange(5, 5 + size)
    samples = Samples(torch.arange(100).float()[:, None], torch.arange(100) * 10)
    batches = Batches(samples, order(positions), batch_size)
    drawn = list(batches)
    assert len(batches) == len(drawn)
    assert [len(targets) for _, targets in drawn] == sizes
    assert sorted(torch.cat([features[:, 0] for features, _ in drawn]).tolist()) == positions.tolist()
    assert all(torch.equal(features[:, 0] * 10, targets) for features, targets in drawn)


def test_samples_on_a_device_have_the_types_that_networks_learn_from() -> None:
    def types(features: torch.dtype, targets: torch.dtype) -> tuple[torch.dtype, ...]:
        samples = Samples(torch.zeros(2, 3, dtype=features), torch.zeros(2, dtype=targets))
        return tuple(each.dtype for each in samples.on(torch.device("cpu")))

    assert types(torch.float64, torch.int32) == (torch.float32, torch.int64)
    assert types(torch.uint8, torch.float64) == (torch.uint8, torch.float32)
    assert types(torch.int64, torch.uint8) == (torch.int64, torch.uint8)
