"""Augmentation: the images of a training batch are altered, each by random numbers of its own.

All are operations on whole batches, on whatever device. Their random numbers depend on the run's seed, the
epoch, the step and the image's place in the batch alone.
"""

import math
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import grid_sample

from overnight.config.errors import ConfigError, needed
from overnight.training.counter_based import CounterBasedUniform


class Augmented(NamedTuple):
    """A batch as the net learns it.

    Args:
        images: [batch, channels, height, width].
        learned: the targets of the loss; where labels are mixed, probabilities [batch, classes].
        counted: the targets of the metrics; where labels are mixed, the label with the largest share.
    """

    images: Tensor
    learned: Tensor
    counted: Tensor


class Augmentation(nn.Module):
    """The base: ``forward(images, targets, drawn)`` returns images and targets.

    It draws nothing itself: ``drawn`` [draws, batch] are uniform numbers from 0 to below 1.

    Args:
        p: the probability with which an image is altered, for each image.

    Raises:
        ConfigError: a setting is not what is needed.
    """

    draws: ClassVar[int]
    """How many numbers it needs for each image."""
    mixes: ClassVar = False
    """Whether it mixes images, and so their targets."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p
        needed(f"{self.key}.p", p, lambda p: 0 <= p <= 1, "a probability, from 0 to 1", 0.5)

    @property
    def key(self) -> str:
        """Return the key of its settings."""
        return f"augmentation.{type(self).__name__.lower()}"


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


class Augmentations(nn.Module):
    """Applies several to each batch: first those that alter an image by itself, each kind by name.

    So the order in which they are listed changes nothing.

    Args:
        parts: by their names.
        seed: draws their random numbers.

    Raises:
        ConfigError: one of them is none.
    """

    def __init__(self, parts: Mapping[str, Augmentation], seed: int) -> None:
        super().__init__()
        for name, part in parts.items():
            if not isinstance(part, Augmentation):
                raise ConfigError(
                    f"augmentation.{name}: {type(part).__name__} is no fcnlab.augment.Augmentation. Needed: "
                    f"a subclass, with draws and forward(images, targets, drawn)"
                )
        ordered = sorted(parts.items(), key=lambda named: (named[1].mixes, named[0]))
        self.parts = nn.ModuleDict(dict(ordered))
        self.draws = tuple(part.draws for _, part in ordered)
        self.uniform = CounterBasedUniform(seed)

    def forward(self, images: Tensor, targets: Tensor, epoch: int, step: int) -> Augmented:
        """Return the batch as it is to be learned.

        Raises:
            ConfigError: these are no images; or one of the parts gives back something else.
        """
        if images.ndim != 4 or not images.is_floating_point():  # noqa: PLR2004
            raise ConfigError(
                f"augmentation={'+'.join(self.parts)}: the data has {images.dtype} of shape "
                f"{list(images.shape[1:])}. Needed: images, that is floats [channels, height, width]. "
                f"Type: augmentation=none"
            )
        numbers = self.uniform(epoch, step, shape=(sum(self.draws), len(images))).to(images.dtype)
        learned = targets
        for part, drawn in zip(self.parts.values(), numbers.split(self.draws), strict=True):
            altered, learned = part(images, learned, drawn)
            if altered.shape != images.shape or len(learned) != len(targets):
                raise ConfigError(
                    f"{type(part).__name__}: of images {list(images.shape)} it made {list(altered.shape)}, "
                    f"and {len(learned)} targets of {len(targets)}. Needed: as many, of the same shape"
                )
            images = altered
        labels = learned.is_floating_point() and not targets.is_floating_point()
        return Augmented(images, learned, learned.argmax(1) if labels else learned)


class Unaugmented(nn.Module):
    """The null object: the batch as it is."""

    def forward(self, images: Tensor, targets: Tensor, epoch: int, step: int) -> Augmented:
        """Return it."""
        return Augmented(images, targets, targets)


def of_images(values: Tensor) -> Tensor:
    """Return [batch] so that it spreads over [batch, channels, height, width]."""
    return values[:, None, None, None]


def black(images: Tensor) -> Tensor:
    """Return the smallest value of each channel, [channels, 1, 1]: once standardized, black is not 0."""
    return images.amin((0, 2, 3))[:, None, None]


def origins(length: int, distance: Tensor) -> tuple[Tensor, Tensor]:
    """Return from where along an axis each place is moved, and whether that is in the image, [batch, length].

    Args:
        length: of the axis.
        distance: by which the image is moved [batch].
    """
    wanted = torch.arange(length, device=distance.device) - distance[:, None]
    there = wanted.clamp(0, length - 1)
    return there, there == wanted
