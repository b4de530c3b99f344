"""R2 is the share of the variance that is explained, in whatever units."""

import pytest
import torch

from overnight.training.r2 import R2Score


@pytest.mark.parametrize("unit", [1e-20, 1e-3, 1.0, 1e12])
@pytest.mark.parametrize("shape", [(200,), (200, 2)])
def test_it_is_the_same_in_whatever_units(unit: float, shape: tuple[int, ...]) -> None:
    rng = torch.Generator().manual_seed(0)
    targets = torch.randn(shape, generator=rng, dtype=torch.float64) + 3
    predictions = targets + torch.randn(shape, generator=rng, dtype=torch.float64) / 2
    left, whole = (part.square().sum(0) for part in (targets - predictions, targets - targets.mean(0)))
    metric = R2Score()
    for part in (slice(0, 50), slice(50, 200)):
        metric.update(unit * predictions[part], unit * targets[part])
    assert metric.compute().item() == pytest.approx((1 - left / whole).mean().item())


def test_of_targets_that_do_not_vary_nothing_is_explained() -> None:
    metric = R2Score()
    metric.update(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 1.0]))
    assert metric.compute().item() == 0
