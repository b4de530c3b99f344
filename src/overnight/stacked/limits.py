"""How many runs are trained together, and how many groups of them side by side."""

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import hydra
import torch
from torch import nn

from overnight.config.of_data import TRAITS, filled
from overnight.config.resolvers import cores

Config = dict[str, Any]

FEW = 3
"""Members that a group should have at least."""

COPIES = 12
"""Of the parameters: weights, gradients, two moments, and two checkpoints of the weights and moments."""
BYTES = 4
LARGEST_BATCH = 1000
ACTIVATIONS = 6
"""Copies of a layer's activations that a step or an evaluation has in memory at a time."""
GB = 1e9


@dataclass(frozen=True)
class Limits:
    """What ``conf/hydra/launcher/stacked.yaml`` says; the launcher has checked it.

    Args:
        groups_at_a_time: trained side by side; None: one on a GPU, else as many as there are cores.
        max_members: of a group.
        memory_gb: that all groups side by side may need.
    """

    groups_at_a_time: int | None
    max_members: int
    memory_gb: float

    def side_by_side(self, configs: Sequence[Config]) -> int:
        """Return how many groups of such runs to train at a time: fewer where they would be small.

        It is the memory of those with the largest network that is looked at.
        """
        room = self.memory_gb * GB / max(map(bytes_each, configs), default=1)
        return max(1, min(self.at_a_time(configs), len(configs) // FEW, int(room / FEW)))

    def at_a_time(self, configs: Sequence[Config]) -> int:
        """Return how many groups of such runs, or runs by themselves, the machine has processors for."""
        return self.groups_at_a_time or (cores() if on_cpu(configs) else 1)

    def members(self, config: Config, beside: int) -> int:
        """Return how many such runs a group may have if so many groups are trained at a time."""
        return max(1, min(self.max_members, int(self.memory_gb * GB / beside / bytes_each(config))))


def on_cpu(configs: Sequence[Config]) -> bool:
    """Tell whether these runs are trained on the CPU."""
    asked = all(config["trainer"]["accelerator"] == "cpu" for config in configs)
    return asked or not torch.accelerator.is_available()


def number_of_groups(runs: int, most: int, beside: int) -> int:
    """Return how many groups to make of runs: so many, if they do not get too small, that no core idles."""
    fewest = math.ceil(runs / most)
    return max(fewest, min(math.ceil(fewest / beside) * beside, runs // FEW))


def bytes_each(config: Config) -> int:
    """Estimate the memory that training one member takes; the samples come on top, once for each process."""
    samples = max(LARGEST_BATCH, config["data"]["batch_size"])
    size = size_of_net(config)
    return int(BYTES * (COPIES * size.parameters + ACTIVATIONS * samples * size.units))


def parameters(config: Config) -> int:
    """Return the number of weights and biases, to which an epoch's time is roughly proportional."""
    return size_of_net(config).parameters


class Size(NamedTuple):
    """The size of a net: its parameters, and the units of all its dense layers, inputs included."""

    parameters: int
    units: int


def size_of_net(config: Config) -> Size:
    """Return the size of the net of a run."""
    return size_of(json.dumps(filled(config["task"]["net"], config.get(TRAITS, {}))))


@functools.cache
def size_of(net: str) -> Size:
    """Build a net, given as JSON, without memory for its tensors, and count."""
    with torch.device("meta"):
        built = hydra.utils.instantiate(json.loads(net), _convert_="all")
    layers = [module for module in built.modules() if isinstance(module, nn.Linear)]
    inputs = layers[0].in_features if layers else 0
    return Size(
        sum(parameter.numel() for parameter in built.parameters()),
        inputs + sum(layer.out_features for layer in layers),
    )
