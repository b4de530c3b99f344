"""What has to be known of a run before it is trained with others: whether it can be, and how large it is."""

import functools
import json
from typing import Any

import hydra
import torch
from torch import nn

from overnight.config.errors import ConfigError
from overnight.config.of_data import TRAITS, asked, filled
from overnight.config.schema import check
from overnight.records.identity import COSMETIC, sources, without_keys
from overnight.stacked.grouping import Judged
from overnight.stacked.support import unsupported
from overnight.training.parts import build_data, informed

Config = dict[str, Any]

COPIES = 12
"""Of the parameters: weights, gradients, two moments, and two checkpoints of the weights and moments."""
BYTES = 4
LARGEST_BATCH = 1000
ACTIVATIONS = 6
"""Copies of a layer's activations that a step or an evaluation has in memory at a time."""


def judge(config: Config, alone: str) -> Judged:
    """Find out whether a run can be stacked; ``alone`` says why not, if that is known."""
    known = Judged(config, alone or why_alone(config), on_cpu=on_cpu(config), sources=sources(config))
    if known.alone:
        return known
    try:
        config = informed(config, build_data(config)) if any(asked(config["task"])) else config
        parameters, units = size_of(json.dumps(filled(config["task"]["net"], config.get(TRAITS, {}))))
    except Exception as error:  # noqa: BLE001 - whatever it is: the ordinary run records it
        return known._replace(alone=f"cannot be built: {error}")
    samples = max(LARGEST_BATCH, config["data"]["batch_size"])
    memory = BYTES * (COPIES * parameters + ACTIVATIONS * samples * units)
    return known._replace(config=config, kind=kind_of(config), memory=memory, parameters=parameters)


def why_alone(config: Config) -> str:
    """Return what keeps a run from being stacked; "" if nothing does."""
    try:
        check(config)
    except ConfigError as error:
        return str(error)
    return ", ".join(unsupported(config))


def kind_of(config: Config) -> str:
    """Return what members of a group must share: all settings but those that each may have for itself."""
    own = hydra.utils.get_class(config["task"]["_target_"]).stacked_settings  # type: ignore[attr-defined]
    relevant = without_keys(config, (*COSMETIC, *config["cosmetic"], *own))
    return json.dumps(relevant, sort_keys=True, default=str)


def on_cpu(config: Config) -> bool:
    """Tell whether a run is trained on the CPU."""
    asked_for = config.get("trainer", {}).get("accelerator")
    return asked_for == "cpu" or not torch.accelerator.is_available()


@functools.cache
def size_of(net: str) -> tuple[int, int]:
    """Build a net, given as JSON, without memory for its tensors.

    Return the number of its parameters, and that of the units of its dense layers, inputs included.
    """
    with torch.device("meta"):
        built = hydra.utils.instantiate(json.loads(net), _convert_="all")
    layers = [module for module in built.modules() if isinstance(module, nn.Linear)]
    inputs = layers[0].in_features if layers else 0
    units = inputs + sum(layer.out_features for layer in layers)
    return sum(parameter.numel() for parameter in built.parameters()), units
