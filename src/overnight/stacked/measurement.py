"""The best and the last weights of many members, measured on whole splits."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from overnight.stacked.lockstep import Lockstep
from overnight.stacked.member import Member
from overnight.training.results import Measured
from overnight.training.rows import OWN

Config = dict[str, Any]

NET = "net."
"""Before the names of the net's tensors in a checkpoint."""

SPLITS = ("train", "val", "test")


def measure(lockstep: Lockstep, members: Sequence[Member]) -> list[dict[Path, Measured]]:
    """Return for each member what its checkpoints reach: each is measured once, though it is best and last.

    Where the test curve is drawn, the history has the test set of these very weights already.
    """
    paths = [list(member.saved.values()) for member in members]
    weights = {
        (number, int(checkpoint["history"][-1]["epoch"])): checkpoint
        for number, (member, own) in enumerate(zip(members, paths, strict=True))
        for checkpoint in map(member.checkpoint, own)
    }
    reached = dict(zip(weights, evaluate(lockstep, members, weights), strict=True)) if weights else {}
    return [
        {path: reached[number, int(member.checkpoint(path)["history"][-1]["epoch"])] for path in own}
        for number, (member, own) in enumerate(zip(members, paths, strict=True))
    ]


def evaluate(
    lockstep: Lockstep, members: Sequence[Member], weights: dict[tuple[int, int], Config]
) -> list[Measured]:
    """Return what a record says of each of these checkpoints; the keys are a member's number and an epoch."""
    own = [checkpoint["state_dict"] for checkpoint in weights.values()]
    state = {
        name.removeprefix(NET): torch.stack([tensors[name] for tensors in own])
        for name in own[0]
        if name.startswith(NET)
    }
    known = [tested(checkpoint["history"][-1]) for checkpoint in weights.values()]
    loaders = {
        split: [members[number].data.whole(split) for number, _ in weights]
        for split in SPLITS
        if split != "test" or not known[0]
    }
    tasks = [members[number].task for number, _ in weights]
    measured = lockstep.evaluate(state, tasks, loaders)
    return [
        Measured(epoch, row | test) for (_, epoch), row, test in zip(weights, measured, known, strict=True)
    ]


def tested(row: Config) -> Config:
    """Return what a row of the history has of the test set."""
    return {name: row[name] for name in row if name not in OWN and name.startswith("test/")}
