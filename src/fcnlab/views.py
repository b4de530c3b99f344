"""Views of an image over which an evaluation averages: test-time augmentation."""

import math

import torch
from torch import Tensor, nn

from fcnlab.task import Classifier
from overnight.config.errors import ConfigError


def average_flips(task: Classifier) -> None:
    """Let the net return the logarithm of its mean probabilities for an image and its mirror image.

    These are logits, too: their softmax is the mean, and cross entropy and metrics take them as they are.

    Raises:
        ConfigError: the net is not trained by cross entropy; or, at the first batch, on images.
    """
    if not isinstance(task.eval_loss, nn.CrossEntropyLoss):
        raise ConfigError(
            f"tta=flip: it averages probabilities, but the loss is {type(task.eval_loss).__name__}. "
            f"Needed: loss=cross_entropy in training, or no tta"
        )
    single = task.net.forward

    def averaged(images: Tensor) -> Tensor:
        if images.ndim < 3:  # noqa: PLR2004 - batch, height, width
            shape = list(images.shape[1:])
            raise ConfigError(f"tta=flip: needed: images [..., height, width]; these samples are {shape}")
        views = torch.stack([single(images), single(images.flip(-1))])
        return views.log_softmax(-1).logsumexp(0) - math.log(len(views))

    task.net.forward = averaged
