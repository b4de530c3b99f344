"""Augmentation: the samples of a training batch are altered, each by random numbers of its own.

All are operations on whole batches, on whatever device. Their random numbers depend on the run's seed, the
epoch, the step and the sample's place in the batch alone.
"""

from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from torch import Tensor, nn

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


class Augmentations(nn.Module):
    """Applies several to each batch: first those that alter an image by itself, each kind by name.

    So the order in which they are listed changes nothing. What is no ``Augmentation`` is a ConfigError.
    """

    def __init__(self, parts: Mapping[str, Augmentation], seed: int) -> None:
        super().__init__()
        for name, part in parts.items():
            if not isinstance(part, Augmentation):
                raise ConfigError(
                    f"augmentation.{name}: {type(part).__name__} is no {__name__}.Augmentation. Needed: a "
                    f"subclass, with draws and forward(images, targets, drawn)"
                )
        ordered = sorted(parts.items(), key=lambda named: (named[1].mixes, named[0]))
        self.parts = nn.ModuleDict(dict(ordered))
        self.draws = tuple(part.draws for _, part in ordered)
        self.uniform = CounterBasedUniform(seed)

    def forward(self, images: Tensor, targets: Tensor, epoch: int, step: int) -> Augmented:
        """Return the batch as it is to be learned; what are no images, or not as many, is a ConfigError."""
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
