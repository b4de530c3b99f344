"""Images as a net takes them."""

import torch

from overnight.data.batches import Samples
from overnight.data.in_memory import Source


def normalize(source: Source) -> Source:
    """Scale pixels (uint8, 0 to 255) to mean 0 and standard deviation 1, as measured on the training set."""
    train, test = (part.features.to(torch.float32).div_(255) for part in source)
    mean, std = train.mean(), train.std()
    scaled = [pixels.sub_(mean).div_(std) for pixels in (train, test)]
    return Source(Samples(scaled[0], source.train.targets), Samples(scaled[1], source.test.targets))
