"""A recorded run looked into: the predictions of its best weights, and its net before training.

A report asks for what a record does not have; that takes torch and the data.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import numpy as np
from torch import Tensor, nn

from overnight.data.in_memory import InMemoryData
from overnight.runs import permutation
from overnight.runs.predictions import pictures, predict
from overnight.training.checkpoints import read_checkpoint
from overnight.training.measure import build_measuring_trainer, measure_split
from overnight.training.parts import build
from overnight.training.trust import trusted

Config = dict[str, Any]


REMEDY = "--trust {}"  # what to type, behind report.py, to trust a package


class CloseUp(NamedTuple):
    """The predictions for the test samples, in the order of the test set.

    Args:
        class_names: () if the targets are no classes.
        targets: the true ones [n].
        outputs: of ``predict_step``: probabilities [n, classes], or predicted numbers [n].
        images: [n, height, width]; None if the samples are no images.
        learned: images of training [n, 2, height, width], each as it is and as the net is given it; None if
            these are the same. The task says so in ``training_inputs(batch, batch_idx)``, if it has that.
    """

    class_names: tuple[str, ...]
    targets: np.ndarray
    outputs: np.ndarray
    images: np.ndarray | None
    learned: np.ndarray | None = None


@dataclass(frozen=True)
class Examiner:
    """Looks into runs; ``trust`` has packages of which a file may build modules, as in ``training.trust``."""

    trust: Sequence[str] = ()

    def close_up(self, checkpoint: Path) -> CloseUp:
        """Predict the test samples with the weights of a checkpoint.

        Raises:
            FileNotFoundError: the checkpoint or the data are not there.
            ValueError: they are damaged, or the task cannot predict, or would build what it may not.
        """
        config = trusted(read_checkpoint(checkpoint)["config"], self.trust, REMEDY)
        task, data = build(config)
        outputs, targets, images = predict(config, task, data, checkpoint)
        names = tuple(getattr(data, "class_names", ()))
        outputs = outputs.squeeze(1) if outputs.shape[1:] == (1,) else outputs
        if outputs.ndim > 1 and not names:
            names = tuple(map(str, range(outputs.shape[1])))
        numbers = targets.squeeze().numpy(), outputs.float().numpy()
        drawn = None if images is None else images.numpy()
        return CloseUp(names, *numbers, drawn, learned_images(task, data))

    def permuted(self, checkpoints: Sequence[Path], metric: str, repeats: int) -> permutation.Changes:
        """Return what permuting each column of the data adds to a metric; {} if they have no such names.

        Of the repetitions, each has another permutation and, in turn, another checkpoint; see
        ``permutation.changes``. Raises what ``close_up`` does.
        """
        found: permutation.Changes = {}
        for first, checkpoint in enumerate(checkpoints[:repeats]):
            config = trusted(read_checkpoint(checkpoint)["config"], self.trust, REMEDY)
            task, data = build(config)
            if not isinstance(data, InMemoryData):
                return {}
            data.setup()
            if not data.column_names:
                return {}
            trainer = build_measuring_trainer(config)
            measure_split(trainer, task, data, checkpoint)  # loads the weights
            names = [name for name, numbers in found.items() if numbers]
            seeds = range(first, repeats, len(checkpoints))
            for name, numbers in permutation.changes(trainer, task, data, metric, seeds, names).items():
                found.setdefault(name, []).extend(numbers)
        return found

    def signals(self, config: Config) -> list[dict[str, float]]:
        """Return how large activations and gradients are in each dense layer before training, on one batch.

        Returns:
            for each layer from the input to the output its number from 1 as ``layer``; the standard
            deviation of what it puts out, before normalization and activation, as ``activation``; that of the
            gradient of its weights as ``gradient``.

        Raises:
            FileNotFoundError: the data is not there.
            ValueError: the data is damaged, or the record would build what it may not.
        """
        config = trusted(config, self.trust, REMEDY)
        L.seed_everything(config["seed"], verbose=False)
        task, data = build(config)
        data.setup("fit")
        layers = [module for module in task.modules() if isinstance(module, nn.Linear)]
        outputs: dict[nn.Module, Tensor] = {}
        for layer in layers:
            layer.register_forward_hook(lambda layer, _, output: outputs.update({layer: output.detach()}))
        permutation.training_loss(task, next(iter(data.train_dataloader()))).backward()
        return [
            {"layer": number, "activation": outputs[layer].std().item(), "gradient": gradient.std().item()}
            for number, layer in enumerate(layers, start=1)
            if (gradient := layer.weight.grad) is not None
        ]


def learned_images(task: Any, data: L.LightningDataModule) -> np.ndarray | None:
    """Return images of the first batch of training as ``CloseUp.learned``; None if the net is given them."""
    if not hasattr(task, "training_inputs"):
        return None
    batch = next(iter(data.train_dataloader()))
    before = batch[0]
    after = task.to(before.device).training_inputs(batch, 0)
    if before.equal(after) or (drawn := pictures(before)) is None:
        return None
    return np.stack([drawn.numpy(), after.cpu().mean(1).numpy()], axis=1)
