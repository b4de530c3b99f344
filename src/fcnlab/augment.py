"""Augmentations of images; those that mix them stand in ``mixing``."""

import math

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from overnight.config.errors import needed
from overnight.training.augmentation import Augmentation, of_images


class Flip(Augmentation):
    """Mirrors left and right."""

    draws = 1

    def forward(self, images: Tensor, targets: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Flip the images that are chosen."""
        return torch.where(of_images(drawn[0] < self.p), images.flip(-1), images), targets


class Shift(Augmentation):
    """Moves an image by whole pixels along both axes; black comes in.

    Args:
        p: see ``Augmentation``.
        pixels: the largest distance; every distance up to it is as likely, 0 included.
    """

    draws = 3

    def __init__(self, p: float, pixels: int) -> None:
        super().__init__(p)
        self.pixels = pixels
        needed(f"{self.key}.pixels", pixels, lambda pixels: pixels > 0, "a whole number, 1 or more", 1)

    def forward(self, images: Tensor, targets: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Shift the images that are chosen."""
        distances = (drawn[1:] * (2 * self.pixels + 1)).floor() - self.pixels
        down, right = torch.where(drawn[0] < self.p, distances, 0).long()
        (rows, old_rows), (columns, old_columns) = (
            origins(length, distance)
            for length, distance in zip(images.shape[-2:], (down, right), strict=True)
        )
        places = rows[:, :, None] * images.shape[-1] + columns[:, None]
        moved = images.flatten(2).gather(2, places.flatten(1)[:, None].expand(-1, images.shape[1], -1))
        known = old_rows[:, None, :, None] & old_columns[:, None, None]
        return torch.where(known, moved.view_as(images), black(images)), targets


class Affine(Augmentation):
    """Rotates an image about its centre, and scales it, with bilinear interpolation; black comes in.

    Args:
        p: see ``Augmentation``.
        degrees: the largest angle, to either side.
        scale: the largest change of size, as a share: 0.1 means 0.9 to 1.1 times.
    """

    draws = 3

    def __init__(self, p: float, degrees: float, scale: float) -> None:
        super().__init__(p)
        self.degrees, self.scale = degrees, scale
        needed(f"{self.key}.degrees", degrees, lambda most: 0 <= most <= 180, "degrees, from 0 to 180", 5.0)  # noqa: PLR2004
        needed(f"{self.key}.scale", scale, lambda most: 0 <= most < 1, "a share, 0 or more and below 1", 0.05)

    def forward(self, images: Tensor, targets: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Rotate and scale the images that are chosen."""
        angle = of_images((2 * drawn[1] - 1) * math.radians(self.degrees))[..., 0]
        size = of_images(1 + (2 * drawn[2] - 1) * self.scale)[..., 0]
        height, width = images.shape[-2:]
        y = (torch.arange(height, device=images.device) - (height - 1) / 2)[:, None]
        x = (torch.arange(width, device=images.device) - (width - 1) / 2)[None]
        from_x, from_y = (
            (angle.cos() * x - angle.sin() * y) / size * 2 / width,
            (angle.sin() * x + angle.cos() * y) / size * 2 / height,
        )
        dark = black(images)
        grid = torch.stack([from_x, from_y], -1).to(images.dtype)
        turned = grid_sample(images - dark, grid, align_corners=False) + dark
        return torch.where(of_images(drawn[0] < self.p), turned, images), targets


def black(images: Tensor) -> Tensor:
    """Return the smallest value of each channel, [channels, 1, 1]: once standardized, black is not 0."""
    return images.amin((0, 2, 3))[:, None, None]


def origins(length: int, distance: Tensor) -> tuple[Tensor, Tensor]:
    """Return from where along an axis of some length each place is moved, and whether that is in the image.

    Both are [batch, length]; ``distance`` [batch] is by how much the image is moved.
    """
    wanted = torch.arange(length, device=distance.device) - distance[:, None]
    there = wanted.clamp(0, length - 1)
    return there, there == wanted
