"""The best and the last weights of many members, measured on whole splits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from fcnlab.task import EVAL_SPLITS
from overnight.stacked.lockstep import Lockstep
from overnight.stacked.member import Member
from overnight.training.checkpoints import BEST, LAST
from overnight.training.fit import MEASURED

Config = dict[str, Any]

NET = "net."
"""Before the names of the net's tensors in a checkpoint."""


def measure(lockstep: Lockstep, members: Sequence[Member]) -> list[dict[Path, Config]]:
    """Return for each member the metrics of those of best.ckpt and last.ckpt that it has.

    What the history says of these weights is not measured again: on the training images it has running
    means only, and on the test images nothing if the test curve is not drawn.
    """
    saved = [{path: found for path in (BEST, LAST) if (found := member.saved(path))} for member in members]
    weights = {
        (number, checkpoint["epoch"]): checkpoint
        for number, checkpoints in enumerate(saved)
        for checkpoint in checkpoints.values()
    }
    if not weights:
        return [{} for _ in members]
    rows = dict(zip(weights, evaluate(lockstep, members, weights), strict=True))
    return [
        {path: rows[number, checkpoint["epoch"]] for path, checkpoint in checkpoints.items()}
        for number, checkpoints in enumerate(saved)
    ]


def evaluate(
    lockstep: Lockstep, members: Sequence[Member], weights: dict[tuple[int, int], Config]
) -> list[Config]:
    """Return what a record says of each of these checkpoints; the keys are a member's number and an epoch."""
    known = [checkpoint["history"][-1] for checkpoint in weights.values()]
    own = [checkpoint["state_dict"] for checkpoint in weights.values()]
    state = {
        name.removeprefix(NET): torch.stack([tensors[name] for tensors in own])
        for name in own[0]
        if name.startswith(NET)
    }
    loaders = {
        split: [members[number].data.eval_dataloaders()[position] for number, _ in weights]
        for position, split in enumerate(EVAL_SPLITS)
        if split == "train" or known[0][f"{split}/loss"] is None
    }
    return [
        {"epoch": row["epoch"], **{name: (row | measured)[name] for name in MEASURED}}
        for row, measured in zip(known, lockstep.evaluate(state, loaders), strict=True)
    ]
