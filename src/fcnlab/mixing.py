"""Augmentations that mix an image with another one of the batch, and their targets as much."""

import math

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from overnight.config.errors import needed
from overnight.training.augmentation import Augmentation, of_images


class Mix(Augmentation):
    """The base of those that mix an image with another one of the batch, and their targets as much.

    Args:
        p: see ``Augmentation``.
        alpha: the share of an image is drawn from Beta(alpha, alpha).
        classes: how many there are; targets that are no labels are mixed as they are.
    """

    mixes = True

    def __init__(self, p: float, alpha: float, classes: int) -> None:
        super().__init__(p)
        self.alpha, self.classes = alpha, classes
        needed(f"{self.key}.alpha", alpha, lambda alpha: alpha > 0, "a number above 0", 1.0)

    def mix_targets(self, targets: Tensor, partner: Tensor, share: Tensor) -> Tensor:
        """Return the targets of images of which another one's are ``1 - share`` [batch]."""
        known = targets if targets.is_floating_point() else one_hot(targets, self.classes).to(share.dtype)
        share = share.view(-1, *[1] * (known.ndim - 1))
        return share * known + (1 - share) * known[partner]


class Mixup(Mix):
    """Averages two images, pixel by pixel (Zhang et al. 2018, arXiv:1710.09412)."""

    draws = 4

    def forward(self, images: Tensor, targets: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Mix the images that are chosen with others of the batch."""
        share = torch.where(drawn[0] < self.p, symmetric_beta(drawn[2], drawn[3], self.alpha), 1)
        partner = drawn[1].argsort(stable=True)
        mixed = of_images(share) * images + of_images(1 - share) * images[partner]
        return mixed, self.mix_targets(targets, partner, share)


class CutMix(Mix):
    """Replaces a box of an image by that of another one (Yun et al. 2019, arXiv:1905.04899).

    A box that reaches over the border is cut there, and the targets' shares are those of the pixels.
    """

    draws = 6

    def forward(self, images: Tensor, targets: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Put boxes of other images of the batch into the images that are chosen."""
        sides = (1 - symmetric_beta(drawn[2], drawn[3], self.alpha)).sqrt()
        rows, columns = (
            within(length, centre, sides) for length, centre in zip(images.shape[-2:], drawn[4:], strict=True)
        )
        box = of_images(drawn[0] < self.p) & rows[:, None, :, None] & columns[:, None, None]
        partner = drawn[1].argsort(stable=True)
        share = 1 - box.to(images.dtype).mean((1, 2, 3))
        return torch.where(box, images[partner], images), self.mix_targets(targets, partner, share)


def within(length: int, centre: Tensor, side: Tensor) -> Tensor:
    """Tell which places along an axis of some length are in the box of each image, [batch, length].

    The box's ``centre`` and ``side`` [batch] are shares of the length.
    """
    middle, half = (centre * length).floor(), (side * length).floor().div(2).floor()
    places = torch.arange(length, device=centre.device)
    return (places >= (middle - half)[:, None]) & (places < (middle + half)[:, None])


def symmetric_beta(first: Tensor, second: Tensor, alpha: float) -> Tensor:
    """Return numbers of the distribution Beta(alpha, alpha) from two uniform ones each.

    Devroye 1996, "Random variate generation in one line of code", by Student's t of Bailey (1994).
    """
    radius = (1 - first) ** (-1 / alpha) - 1
    cosine = (2 * math.pi * second).cos()
    return (1 + cosine.sign() / (1 + 1 / (radius * cosine**2)).sqrt()) / 2
