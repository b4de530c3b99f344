"""Permutation importance: what a metric becomes if the values of one column are permuted.

Breiman, Random Forests, Machine Learning 45, 2001; for any model: Fisher, Rudin and Dominici,
arXiv:1801.01489.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import lightning as L
import torch
from torch import Tensor

from overnight.data.batches import Samples
from overnight.data.in_memory import InMemoryData
from overnight.data.splits import Split
from overnight.training.checkpoints import without_warning
from overnight.training.measure import measure_split

MOST_SAMPLES = 5000  # are drawn in a repetition
MOST_COLUMNS = 40  # are permuted; of more, those to which the loss is most sensitive
UNATTACHED = "You are trying to `self.log"
"""The beginning of Lightning's warning that a module without a Trainer logs to nowhere."""

Changes = dict[str, list[float]]


def changes(
    trainer: L.Trainer,
    task: L.LightningModule,
    data: InMemoryData,
    metric: str,
    seeds: Iterable[int],
    names: Sequence[str] = (),
) -> Changes:
    """Return what permuting each column of the validation samples adds to a metric.

    A seed draws validation samples with replacement (the bootstrap), and one permutation of them for all
    columns. So the numbers of a column vary as much as other samples and permutations make them vary. The
    samples in ``data`` are others afterwards.

    Args:
        trainer: of ``build_measuring_trainer``.
        task: has the weights.
        data: set up, with ``column_names``.
        metric: its name as the module logs it.
        seeds: one for each repetition.
        names: of the columns to permute; if there are none, all, or of very many the ``most_sensitive``.

    Returns:
        a number for each seed, by column; none for a column that was not permuted.
    """
    official, val, places = data.official_train, data.split.val, places_of(data.column_names)
    several = Samples(*(tensor[val[:MOST_SAMPLES]] for tensor in official))
    permuted = names or most_sensitive(task, several, places)
    found: Changes = {name: [] for name in places}

    def measured() -> float:
        value: Any = measure_split(trainer, task, data)[metric]
        return float(value)

    with data.evaluating("val"):
        for seed in seeds:
            rng = torch.Generator().manual_seed(seed)
            rows = val[torch.randint(len(val), (min(len(val), MOST_SAMPLES),), generator=rng)]
            order = torch.randperm(len(rows), generator=rng)
            data.official_train = Samples(*(tensor[rows] for tensor in official))
            data.split = Split(train=order[:0], val=torch.arange(len(rows)))
            features, whole = data.official_train.features, measured()
            for name in permuted:
                kept = features[:, places[name]]
                features[:, places[name]] = kept[order]
                found[name].append(measured() - whole)
                features[:, places[name]] = kept
    return found


def places_of(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the places of the features that have each name."""
    places: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    return places


def most_sensitive(
    task: L.LightningModule, samples: Samples, places: Mapping[str, Sequence[int]]
) -> list[str]:
    """Return the names of those ``MOST_COLUMNS`` whose standard deviation would change the loss most.

    One gradient tells it of all columns, while permuting each of thousands takes minutes.
    """
    if len(places) <= MOST_COLUMNS:
        return [*places]
    task.trainer = None  # or it would log to a loop that has ended
    features, targets = (tensor.to(task.device) for tensor in samples)
    loss = training_loss(task.eval(), Samples(features.requires_grad_(), targets))
    (gradient,) = torch.autograd.grad(loss, features)
    strength = gradient.square().mean(0) * features.detach().var(0)
    sums = {name: strength[columns].sum().item() for name, columns in places.items()}
    return heapq.nlargest(MOST_COLUMNS, sums, key=sums.__getitem__)


def training_loss(task: L.LightningModule, batch: Any) -> Tensor:
    """Return the loss of one batch, outside of a loop, where nothing is logged."""
    with without_warning(UNATTACHED):
        stepped: Any = task.training_step(batch, 0)
    loss: Tensor = stepped["loss"] if isinstance(stepped, dict) else stepped
    return loss
