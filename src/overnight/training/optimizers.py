"""What is done with every optimizer, whatever its class."""

import logging
from collections.abc import Callable, Iterable
from typing import Any

import hydra
from torch import nn
from torch.optim import Optimizer

from overnight.config.errors import ConfigError
from overnight.training.plain import is_plain

log = logging.getLogger(__name__)

Config = dict[str, Any]


def decay_matrices(optimizer: Optimizer) -> Optimizer:
    """Let weight decay, where it is on, apply to weight matrices only: not to biases, scales and shifts."""
    (group,) = optimizer.param_groups
    if group.get("weight_decay"):
        others = [parameter for parameter in group["params"] if parameter.ndim < 2]  # noqa: PLR2004
        group["params"] = [parameter for parameter in group["params"] if parameter.ndim > 1]
        optimizer.add_param_group({"params": others, "weight_decay": 0.0})
    return optimizer


def refuse_optimizer(optimizer: Callable[..., Optimizer], net: nn.Module) -> None:
    """Build the optimizer once, so that a wrong setting is refused before any data is read (ConfigError)."""
    if not any(parameter.requires_grad for parameter in net.parameters()):
        raise ConfigError(
            f"{type(net).__name__}: it has no parameters that are trained. Needed: at least one layer with "
            f"weights, kept as an attribute or in a torch.nn.ModuleList"
        )
    try:
        optimizer(net.parameters())
    except (TypeError, ValueError) as error:
        given = getattr(optimizer, "keywords", {})
        raise ConfigError(
            f"optimizer: {error}. Given: {given}. Needed: what this optimizer takes. "
            f"Type for example: optimizer=adam, and no optimizer.KEY=VALUE"
        ) from error


def describe_optimizers(optimizers: Iterable[Optimizer]) -> list[Config]:
    """Return the class of each optimizer, and the settings that it was built with."""
    return [
        {"class": full_name(type(each))} | {k: v for k, v in each.defaults.items() if is_plain(v)}
        for each in optimizers
    ]


def tell_of_others(task: Config, optimizers: Iterable[Optimizer]) -> None:
    """Say which optimizer the configuration of a task names that it does not train with.

    A task may build others in its ``configure_optimizers``.
    """
    trained = [full_name(type(each)) for each in optimizers]
    nodes = [node for node in task.values() if isinstance(node, dict)] if trained else []
    asked = [hydra.utils.get_object(node["_target_"]) for node in nodes if "_target_" in node]
    names = [full_name(kind) for kind in asked if isinstance(kind, type) and issubclass(kind, Optimizer)]
    if unused := ", ".join(name for name in names if name not in trained):
        log.warning("trained with %s, though the configuration names %s", ", ".join(trained), unused)


def full_name(kind: type) -> str:
    """Return the name of a class with that of its module."""
    return f"{kind.__module__}.{kind.__qualname__}"
