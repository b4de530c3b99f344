"""What may be built from a configuration that a file brings along: a checkpoint, or a record."""

import inspect
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import hydra
import lightning as L
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric

from overnight.config.errors import ConfigError
from overnight.config.folders import project
from overnight.config.of_data import TRAITS, filled
from overnight.config.schema import refused_settings

Config = dict[str, Any]
Thing = TypeVar("Thing")

HOMES = ("torch.nn", "torch.optim", "torchmetrics", "torchvision", "lightning.pytorch", "overnight")
"""Where the things that may be built are defined, whatever name leads to them; and in the project itself."""
KINDS = (nn.Module, L.LightningDataModule, L.Trainer, Optimizer, LRScheduler, Metric)
BUILDABLE: list[Any] = []
REPLACED = ("profiler", "logger")
"""Parts of a Trainer that are not built when a checkpoint is measured."""


def buildable(thing: Thing) -> Thing:
    """Mark a class as one that a configuration in a file may build: building it reads and writes nothing."""
    BUILDABLE.append(thing)
    return thing


def trusted(config: Config, trust: Iterable[str] = ()) -> Config:
    """Return a configuration from a file, told the traits of its data, if all that it builds is harmless.

    Args:
        config: of a checkpoint or a record.
        trust: names of further packages whose modules, data modules and so on may be built.

    Raises:
        ConfigError: names what may not be built.
    """
    homes = (*HOMES, *own_packages(), *trust)
    config = config | {"task": filled(config["task"], config.get(TRAITS, {}))}
    trainer = {key: value for key, value in config["trainer"].items() if key not in REPLACED}
    parts = {"task": config["task"], "data": config["data"], "trainer": trainer}
    for complaint in (*untrusted(parts, homes), *refused_settings(parts | {"callbacks": {}})):
        raise ConfigError(f"in the file: {complaint}")
    return config


def own_packages() -> Iterator[str]:
    """Yield the names of the packages in ``src`` of this checkout."""
    sources = {project() / "src", Path(__file__).parents[2]}
    files = (file for source in sources if source.name == "src" for file in source.glob("*/*.py"))
    yield from sorted({file.parent.name for file in files})


def untrusted(node: Any, homes: Sequence[str]) -> Iterator[str]:
    """Yield what may not be built, at any depth; nothing is imported but these packages."""
    if isinstance(node, str) and "${" in node:
        yield f"{node}: an interpolation, which could stand for anything"
    if isinstance(node, list | tuple):
        for item in node:
            yield from untrusted(item, homes)
    if isinstance(node, dict):
        if "_target_" in node:
            yield from untrusted_target(node["_target_"], homes)
        for item in node.values():
            yield from untrusted(item, homes)


def untrusted_target(target: Any, homes: Sequence[str]) -> Iterator[str]:
    """Yield why a target may not be built: the package that it names, or the thing that it is."""
    package = str(target).partition(".")[0]
    known = sorted({home.partition(".")[0] for home in homes})
    if package not in known:
        yield (
            f"_target_={target}: a file may name things of {', '.join(known)} only. If you trust "
            f"it, type: trust=[{package}]"
        )
    elif not is_buildable(thing := hydra.utils.get_object(str(target)), homes):
        yield (
            f"_target_={target}: a file may name modules, data modules, optimizers, schedulers, metrics, "
            f"initializations and what is marked as buildable, all from {', '.join(homes)}; this is {thing}"
        )


def is_buildable(thing: Any, homes: Sequence[str]) -> bool:
    """Tell by what a thing is, and where it is defined, whether it may be built."""
    home = f"{getattr(thing, '__module__', '')}."
    if not home.startswith(tuple(f"{known}." for known in homes)):
        return False
    if inspect.isclass(thing):
        return thing in BUILDABLE or issubclass(thing, KINDS)
    return inspect.isfunction(thing) and home == f"{nn.init.__name__}." and not thing.__name__.startswith("_")
