"""Which runs of a sweep can share a batched network, and how many of them do at a time."""

import json
import math
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from omegaconf.errors import OmegaConfBaseException

from fcnlab.launchers.job import Job
from fcnlab.ledger import COSMETIC, Record, fingerprint, settled, without
from fcnlab.run import resolved
from fcnlab.schema import ConfigError, check
from fcnlab.stacked.support import unsupported

Config = dict[str, Any]
Item = TypeVar("Item")

OWN = (
    *COSMETIC,
    "seed",
    "lr",
    "weight_decay",
    "l1",
    "init",
    "optimizer",
    "scheduler",
    "regularization",
    "callbacks",
    "data.seed",
    "data.split_seed",
    "data.fold",
    "model.weight_init",
    "model.bias_init",
    "task.net.weight_init",
    "task.net.bias_init",
    "task.optimizer",
    "task.schedule",
    "task.penalty",
)
"""The settings in which members of a group may differ; all others, of whatever name, they must share."""

FEW = 3
"""Members that a group should have at least."""

COPIES = 12
"""Of the parameters: weights, gradients, two moments, and two checkpoints of the weights and moments."""
BYTES = 4
LARGEST_BATCH = 1000
ACTIVATIONS = 6
"""Copies of a layer's activations that a step or an evaluation has in memory at a time."""


@dataclass(frozen=True, eq=False)
class Run:
    """A job of the sweep, looked at before it runs.

    Args:
        job: that will record it.
        directory: where.
        config: resolved.
        alone: why it is run the ordinary way; "" if it can be trained in lockstep.
    """

    job: Job
    directory: Path
    config: Config
    alone: str

    @property
    def recorded(self) -> Record | None:
        """Return its record if it has been run to its end before."""
        return settled(self.directory, fingerprint(self.config))

    @property
    def epochs(self) -> int:
        """Return for how many epochs it trains at most."""
        return int(self.config["trainer"]["max_epochs"])


def look_at(job: Job) -> Run:
    """Resolve a job's configuration, and find out whether it can be trained in lockstep."""
    with job.situated() as cfg:
        directory = Path(job.config.hydra.runtime.output_dir)
        try:
            config, interrupted = resolved(cfg)
        except OmegaConfBaseException as error:
            return Run(job, directory, {}, str(error))
    return Run(job, directory, config, "ckpt_path=last" if interrupted else why_alone(config))


def why_alone(config: Config) -> str:
    """Return what keeps a run from being trained in lockstep; "" if nothing does."""
    try:
        check(config)
    except ConfigError as error:
        return str(error)
    return ", ".join(unsupported(config))


class Limits(NamedTuple):
    """What bounds a group.

    Args:
        max_members: more than that are not trained together.
        memory: bytes that all groups which are trained at a time may need.
        beside: how many groups that are.
    """

    max_members: int
    memory: float
    beside: int


def groups(runs: Iterable[Run], limits: Limits) -> list[Sequence[Run]]:
    """Put runs together, which can be trained in lockstep, if they differ in their ``OWN`` settings only."""
    kinds = by(runs, lambda run: json.dumps(without(run.config, OWN), sort_keys=True, default=str))
    return [group for kind in kinds for group in groups_of_a_kind(kind, limits)]


def groups_of_a_kind(kind: Sequence[Run], limits: Limits) -> list[Sequence[Run]]:
    """Put runs together that can share a network, first those that also see the same images."""
    room = int(limits.memory / limits.beside / bytes_each(kind[0].config))
    most = min(limits.max_members, max(1, room))
    return [
        group
        for part in apart(kind, enough=max(2, most / 5))
        for group in shared_out(part, number_of_groups(len(part), most, limits.beside))
    ]


def apart(kind: Sequence[Run], enough: float) -> list[list[Run]]:
    """Put runs that see the same images in the same order together, where they are enough; last the others.

    They have the first layer's product in common, so that three are trained faster than nine of which each
    has its own images.
    """
    alike = by(sorted(kind, key=sees), sees)
    few = [run for runs in alike for run in runs if len(runs) < enough]
    return [part for part in (*(runs for runs in alike if len(runs) >= enough), few) if part]


def sees(run: Run) -> tuple[int, ...]:
    """Return what decides which images a run sees, in which order."""
    data = run.config["data"]
    return data["split_seed"], data["fold"], data["seed"]


def by(items: Iterable[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Put items of the same key together, in the order of their first."""
    together: dict[Hashable, list[Item]] = {}
    for item in items:
        together.setdefault(key(item), []).append(item)
    return list(together.values())


def number_of_groups(runs: int, most: int, beside: int) -> int:
    """Return how many groups to make of runs: so many, if they do not get too small, that no core idles."""
    needed = math.ceil(runs / most)
    return max(needed, min(math.ceil(needed / beside) * beside, runs // FEW))


def shared_out(items: Sequence[Item], parts: int) -> list[Sequence[Item]]:
    """Deal a list out to so many parts, as equal as possible: as cards, since neighbours cost alike."""
    return [items[part::parts] for part in range(parts)]


def bytes_each(config: Config) -> int:
    """Estimate the memory that training one member takes."""
    model = config["model"]
    widths = [model["in_features"], *model["hidden_sizes"], model["out_features"]]
    parameters = sum((inputs + 1) * outputs for inputs, outputs in pairwise(widths))
    images = max(LARGEST_BATCH, config["data"]["batch_size"])
    return int(BYTES * (COPIES * parameters + ACTIVATIONS * images * sum(widths)))
