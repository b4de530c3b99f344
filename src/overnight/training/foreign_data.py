"""Data modules of any kind: what they draw is the same in a run, when it goes on, and in an evaluation."""

import functools
import logging
import random
from collections.abc import Callable
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.utilities.combined_loader import CombinedLoader

from overnight.data.in_memory import InMemoryData
from overnight.training.generators import seeded

log = logging.getLogger(__name__)

SEEDS = 2**32  # how many there are
LOADERS = ("train_dataloader", "val_dataloader", "test_dataloader", "predict_dataloader")


def draw_alike(data: L.LightningDataModule, seed: int) -> None:
    """Let a data module draw the same each time that it is set up and asked for loaders."""
    data.setup = as_in_fit(data.setup, seed)  # type: ignore[method-assign,assignment]
    for name in LOADERS:
        setattr(data, name, as_before(data, getattr(data, name), seed))


def as_in_fit(setup: Callable[[str], None], seed: int) -> Callable[[str], None]:
    """Let a ``setup`` draw the same each time, and make ready for validation what ``fit`` validates on.

    As in Lightning's own guide, many a ``setup`` makes the validation set for the stage ``fit`` only.
    """

    def set_up(stage: str) -> None:
        with seeded(seed):
            setup("fit" if stage == "validate" else stage)

    return set_up


def as_before(data: L.LightningDataModule, loaders: Callable[[], Any], seed: int) -> Callable[[], Any]:
    """Let a method that makes loaders draw the same each time; or in each epoch, where it is called again."""

    @functools.wraps(loaders)
    def make_loaders() -> Any:
        trainer: Any = data.trainer
        epoch = trainer.current_epoch if trainer and trainer.reload_dataloaders_every_n_epochs else 0
        with seeded((seed + epoch) % SEEDS):
            return loaders()

    return make_loaders


def tell_of_other_batches(trainer: L.Trainer) -> None:
    """Say so if the order or the samples of loaders depend on what nothing can restore."""
    n, ours = trainer.reload_dataloaders_every_n_epochs, isinstance(trainer.datamodule, InMemoryData)  # type: ignore[attr-defined]
    if n > 1 and not ours:
        log.warning(
            "trainer.reload_dataloaders_every_n_epochs=%d counts from here on: loaders are made in other "
            "epochs than without the interruption. Needed: 1",
            n,
        )
    for loader in CombinedLoader(trainer.train_dataloader, "sequential").flattened:
        sampler, batches = (getattr(loader, name, None) for name in ("sampler", "batch_sampler"))
        drawing = (loader, sampler, batches, getattr(batches, "sampler", None))
        own = [getattr(part, "generator", None) for part in drawing]
        if any(own) or getattr(loader, "persistent_workers", False) or draws(loader):
            log.warning(
                "the loader of training draws from a generator, or in workers, of which no checkpoint knows: "
                "from here on its batches are others than without the interruption"
            )


def draws(holder: Any) -> bool:
    """Tell whether the data set of a loader, or one within it, has a generator of its own."""
    data = getattr(holder, "dataset", None)
    generators = (np.random.Generator, np.random.RandomState, random.Random, torch.Generator)
    own = getattr(data, "__dict__", {}).values()
    return data is not None and (any(isinstance(value, generators) for value in own) or draws(data))
