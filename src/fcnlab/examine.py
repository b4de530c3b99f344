"""A recorded run looked into: the predictions of its best weights, and its net before training.

What a report asks for and a record does not have; it takes torch and the images.
"""

from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import numpy as np
from torch import Tensor, nn

from fcnlab.evaluate import build_data, predict
from fcnlab.task import Classifier
from fcnlab.training import build

Config = dict[str, Any]


class CloseUp(NamedTuple):
    """The predictions for the test images; [n] each, in the order of the test set.

    Args:
        classes: their names.
        labels: the true classes.
        predictions: the predicted ones.
        probabilities: of the predicted class.
        images: [n, height, width].
    """

    classes: tuple[str, ...]
    labels: np.ndarray
    predictions: np.ndarray
    probabilities: np.ndarray
    images: np.ndarray


def close_up(checkpoint: Path) -> CloseUp:
    """Predict the test images with the weights of a checkpoint.

    Raises:
        FileNotFoundError: the checkpoint or the images are not there.
        ValueError: the checkpoint or the images are damaged.
    """
    task = Classifier.load_from_checkpoint(checkpoint)
    data = build_data(task.config, root=None)
    probabilities, labels = predict(task, data.eval_dataloaders()[1])
    surest = probabilities.max(1)
    return CloseUp(
        data.classes,
        labels.numpy(),
        surest.indices.numpy(),
        surest.values.numpy(),
        data.test.pixels[:, 0].numpy(),
    )


def signals(config: Config) -> list[dict[str, float]]:
    """Return how large activations and gradients are in each dense layer before training, on one batch.

    Args:
        config: of a record.

    Returns:
        for each layer from the input to the output its number from 1 as ``layer``; the standard deviation
        of what it puts out, before normalization and activation, as ``activation``; that of the gradient of
        its weights as ``gradient``.

    Raises:
        FileNotFoundError: the images are not there.
        ValueError: the images are damaged.
    """
    L.seed_everything(config["seed"], verbose=False)
    task, data = build(config)
    data.setup()
    layers = [module for module in task.net.modules() if isinstance(module, nn.Linear)]
    outputs: list[Tensor] = []
    for layer in layers:
        layer.register_forward_hook(lambda *arguments: outputs.append(arguments[-1].detach()))
    images, labels = next(iter(data.train_dataloader()))
    task.loss(task.net(images), labels).backward()
    gradients = [layer.weight.grad for layer in layers]
    return [
        {"layer": number, "activation": output.std().item(), "gradient": gradient.std().item()}
        for number, (output, gradient) in enumerate(zip(outputs, gradients, strict=True), start=1)
        if gradient is not None
    ]
