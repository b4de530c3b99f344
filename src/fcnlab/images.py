"""Images as a net takes them, of all classes or of some."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor

from overnight.config.errors import ConfigError
from overnight.data.batches import Samples
from overnight.data.in_memory import InMemoryData, Source


class Images(InMemoryData):
    """The base of image sets that state their sizes as constants: nothing is read to build a net for them.

    Args:
        only_classes: the labels of the classes to keep, which are numbered anew in this order; None: all.
        traits: what the configuration says of the sizes, so that it can be composed without this class.
        settings: of ``InMemoryData``.

    Raises:
        ConfigError: there are no such classes, the sizes are others, or the validation part would take every
            image.
    """

    shape: ClassVar[tuple[int, int, int]] = (1, 28, 28)
    train_images: ClassVar[int] = 60_000
    all_class_names: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        *,
        only_classes: Sequence[int] | None = None,
        traits: Mapping[str, int] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        every = range(len(self.all_class_names))
        self.only_classes = kept = [*every] if only_classes is None else list(only_classes)
        if not {*kept} <= {*every} or not 1 < len({*kept}) == len(kept):
            raise ConfigError(
                f"data.only_classes={self.only_classes}: needed: two or more different labels from 0 to "
                f"{every[-1]}, of {', '.join(self.all_class_names)}. Type for example: "
                f"data.only_classes=[0,6]"
            )
        if self.folds == 1 and self.val_size >= self.train_images:
            raise ConfigError(
                f"data.val_size={self.val_size}: needed: fewer than the {self.train_images} training images. "
                f"Type for example: data.val_size={self.train_images // 10}"
            )
        self.class_names = tuple(self.all_class_names[label] for label in self.only_classes)
        if traits and dict(traits) != self.traits():
            raise ConfigError(f"data.traits={dict(traits)}: these data have {self.traits()}. Needed: these")

    def traits(self) -> dict[str, Any]:
        """Return the sizes that a net needs; see ``InMemoryData``."""
        return {"in_features": math.prod(self.shape), "out_features": len(self.class_names)}

    def chosen(self, source: Source) -> Source:
        """Return the samples of the classes to keep, numbered from 0; all of them as they are."""
        if self.only_classes == [*range(len(self.all_class_names))]:
            return source
        numbers = torch.full((len(self.all_class_names),), -1)
        numbers[self.only_classes] = torch.arange(len(self.only_classes))
        return Source(*(relabelled(part, numbers) for part in source))


def relabelled(samples: Samples, numbers: Tensor) -> Samples:
    """Return the samples whose labels have a new number that is not negative, with that number."""
    labels = numbers[samples.targets]
    return Samples(samples.features[labels >= 0], labels[labels >= 0])


def normalize(source: Source) -> Source:
    """Scale each channel (uint8, 0 to 255) to mean 0 and standard deviation 1 of the training set.

    Both are computed from counts: a sum of floats depends on the number of threads, and so would the samples.
    """
    train, test = (part.features.to(torch.float32).div_(255) for part in source)
    levels = torch.arange(256, dtype=torch.float64) / 255
    for channel in range(train.shape[1]):
        counts = source.train.features[:, channel].flatten().bincount(minlength=256).double()
        mean = counts @ levels / counts.sum()
        std = (counts @ (levels - mean) ** 2 / (counts.sum() - 1)).sqrt()
        for pixels in (train, test):
            pixels[:, channel].sub_(mean.float()).div_(std.float())
    return Source(Samples(train, source.train.targets), Samples(test, source.test.targets))
