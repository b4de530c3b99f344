"""Mixup and CutMix: labels are mixed as the pixels are."""

from typing import Any

import pytest
import torch
from scipy.stats import kstest
from torch import Tensor
from torch.nn.functional import cross_entropy, one_hot

from fcnlab.mixing import CutMix, Mixup, symmetric_beta
from overnight.training.augmentation import Augmentations
from overnight.training.counter_based import CounterBasedUniform

MIXES: dict[str, Any] = {
    "mixup": {"mixup": Mixup(0.6, 1.0, 30)},
    "cutmix": {"cutmix": CutMix(0.6, 1.0, 30)},
    "both": {"mixup": Mixup(0.5, 0.4, 30), "cutmix": CutMix(0.5, 0.4, 30)},
}


@pytest.mark.parametrize("parts", MIXES.values(), ids=MIXES)
def test_mixed_labels_are_what_the_pixels_say(parts: Any) -> None:
    """Of 30 images, each is white in a channel of its own: the mean of a channel is that image's share."""
    white = torch.eye(30)[:, :, None, None].expand(-1, -1, 14, 11)
    result = Augmentations(parts, 0)(white, torch.arange(30), 1, 2)
    torch.testing.assert_close(result.images.mean((2, 3)), result.learned)
    torch.testing.assert_close(result.learned.sum(1), torch.ones(30))
    assert torch.equal(result.counted, result.learned.argmax(1))
    mixed = (result.learned > 0).sum(1) > 1
    assert 5 < mixed.sum() < 30


def test_a_box_is_one_rectangle_of_its_share() -> None:
    sharing = CounterBasedUniform(1)(shape=(6, 400))
    sharing[0] = 0
    black, white = torch.zeros(200, 1, 28, 28), torch.ones(200, 1, 28, 28)
    mixed, targets = CutMix(1.0, 1.0, 2)(torch.cat([black, white]), torch.arange(400) // 200, sharing)
    sides = (1 - symmetric_beta(sharing[2], sharing[3], 1.0)).sqrt() * 28
    for image, target, own, side in zip(mixed[:, 0], targets, torch.arange(400) // 200, sides, strict=True):
        box = image != own
        height, width = int(box.any(1).sum()), int(box.any(0).sum())
        assert box.sum() == height * width
        assert max(height, width) <= side
        assert target[1 - own].item() == pytest.approx(height * width / 784, abs=1e-6)


@pytest.mark.parametrize("shape", [(40,), (40, 3)])
def test_targets_that_are_no_labels_are_averaged(shape: tuple[int, ...], images: Tensor) -> None:
    targets = torch.randn(shape)
    sharing = CounterBasedUniform(0)(shape=(4, 40))
    mixed, learned = Mixup(1.0, 1.0, 1)(images, targets, sharing)
    partner, share = sharing[1].argsort(), symmetric_beta(sharing[2], sharing[3], 1.0)
    for place, (own, other) in enumerate(zip(range(40), partner, strict=True)):
        part = share[place]
        torch.testing.assert_close(mixed[place], part * images[own] + (1 - part) * images[other])
        torch.testing.assert_close(learned[place], part * targets[own] + (1 - part) * targets[other])
    result = Augmentations({"mixup": Mixup(1.0, 1.0, 1)}, 0)(images, targets, 0, 0)
    assert torch.equal(result.counted, result.learned)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 4.0])
def test_shares_are_of_the_beta_distribution(alpha: float) -> None:
    first, second = CounterBasedUniform(0)(shape=(2, 20_000)).double()
    assert kstest(symmetric_beta(first, second, alpha), "beta", (alpha, alpha)).pvalue > 1e-3


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_loss_of_a_mixed_label_is_the_mixture_of_the_losses(smoothing: float) -> None:
    logits, share = torch.randn(50, 10), torch.rand(50)
    one, two = torch.randint(10, (2, 50))
    mixed = share[:, None] * one_hot(one, 10) + (1 - share)[:, None] * one_hot(two, 10)
    losses = [cross_entropy(logits, each, reduction="none", label_smoothing=smoothing) for each in (one, two)]
    expected = (share * losses[0] + (1 - share) * losses[1]).mean()
    torch.testing.assert_close(cross_entropy(logits, mixed, label_smoothing=smoothing), expected)
