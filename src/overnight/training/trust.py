"""What may be built from a configuration that a file brings along: a checkpoint, or a record."""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import hydra
import lightning as L
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric

from overnight.config.errors import ConfigError
from overnight.config.of_data import TRAITS, filled
from overnight.config.packages import HOMES, built_again, own_packages, untrusted_packages
from overnight.config.schema import refused_settings
from overnight.records.nested import nodes

Config = dict[str, Any]
Thing = TypeVar("Thing")

KINDS = (nn.Module, L.LightningDataModule, L.Trainer, Optimizer, LRScheduler, Metric)
BUILDABLE: list[Any] = []


def buildable(thing: Thing) -> Thing:
    """Mark a class as one that a configuration in a file may build: building it reads and writes nothing."""
    BUILDABLE.append(thing)
    return thing


def trusted(config: Config, trust: Iterable[str] = (), remedy: str = "trust=[{}]") -> Config:
    """Return a configuration from a file, told the traits of its data, if all that it builds is harmless.

    Args:
        config: of a checkpoint or a record.
        trust: names of further packages whose modules, data modules and so on may be built.
        remedy: what to type to trust the packages that are to stand in its braces.

    Raises:
        ConfigError: names what may not be built.
    """
    config = config | {"task": filled(config["task"], config.get(TRAITS, {}))}
    known, parts = (*HOMES, *own_packages()), built_again(config)
    more = remedy.format(",".join([*trust, *untrusted_packages(config, trust)]))
    complaints = untrusted(parts, (*known, *trust), more)
    for complaint in (*complaints, *refused_settings(parts | {"callbacks": {}})):
        raise ConfigError(f"in the file: {complaint}")
    return config


def untrusted(config: Config, homes: Sequence[str], remedy: str) -> Iterator[str]:
    """Yield what may not be built, at any depth; nothing is imported but these packages."""
    for key, node in nodes(config):
        if isinstance(node, str) and "${" in node:
            yield f"{node}: an interpolation, which could stand for anything"
        if key.rpartition(".")[2] == "_target_":
            yield from untrusted_target(node, homes, remedy)


def untrusted_target(target: Any, homes: Sequence[str], remedy: str) -> Iterator[str]:
    """Yield why a target may not be built: the package that it names, or the thing that it is."""
    package = str(target).partition(".")[0]
    known = sorted({home.partition(".")[0] for home in homes})
    if package not in known:
        yield (
            f"_target_={target}: a file may name things of {', '.join(known)} only. If you trust "
            f"it, type: {remedy}"
        )
    elif not is_buildable(thing := hydra.utils.get_object(str(target)), homes):
        yield (
            f"_target_={target}: a file may name modules, data modules, optimizers, schedulers, metrics, "
            f"initializations and what is marked as buildable, all from {', '.join(homes)}; this is {thing}"
        )


def is_buildable(thing: Any, homes: Sequence[str]) -> bool:
    """Tell by what a thing is, and where it is defined, whether it may be built."""
    if thing is torch.tensor:  # numbers, such as the weights of classes in a loss
        return True
    home = f"{getattr(thing, '__module__', '')}."
    if not home.startswith(tuple(f"{known}." for known in homes)):
        return False
    if inspect.isclass(thing):
        return thing in BUILDABLE or issubclass(thing, KINDS)
    return inspect.isfunction(thing) and home == f"{nn.init.__name__}." and not thing.__name__.startswith("_")
