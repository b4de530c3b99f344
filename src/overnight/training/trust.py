"""What may be built from a configuration that a file brings along: a checkpoint, or a record."""

import inspect
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any, TypeVar, get_type_hints

import hydra
import lightning as L
import torch
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler
from torchmetrics import Metric

from overnight.config.errors import ConfigError
from overnight.config.of_data import TRAITS, filled
from overnight.config.packages import HOMES, NOT_CALLED, built_again, own_packages, untrusted_packages
from overnight.config.schema import refused_settings
from overnight.records.identity import nodes

log = logging.getLogger(__name__)

Config = dict[str, Any]
Thing = TypeVar("Thing")

KINDS = (nn.Module, L.LightningDataModule, L.Trainer, Optimizer, LRScheduler, Metric)
COMPUTING, DEFINED = (nn.init, nn.functional), ("torch.nn.init", "torch.nn.functional", "torch._C._nn")
IN_FILE = "in the file: "
ANNOTATED = ". Needed of a function that makes a module: to say so, as in def make() -> torch.nn.Module"
BUILDABLE: list[Any] = []


def buildable(thing: Thing) -> Thing:
    """Mark a class or a function as one that a file may name: to call it reads and writes nothing."""
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
    known, parts, named = (*HOMES, *own_packages()), built_again(config), [*trust]
    more = remedy.format(",".join([*named, *untrusted_packages(config, named)]))
    complaints = untrusted(parts, (*known, *named), named, more)
    for complaint in (*complaints, *refused_settings(parts | {"callbacks": {}})):
        raise ConfigError(f"{IN_FILE}{complaint}")
    return config


def tell_of_unbuildable(config: Config) -> None:
    """Say so, before hours of training, if ``eval.py`` would not build a run's module again."""
    try:
        trusted(config, untrusted_packages(config))
    except (ConfigError, ImportError) as error:
        log.warning("eval.py will not measure this run: %s", str(error).removeprefix(IN_FILE))


def untrusted(config: Config, homes: Sequence[str], named: Sequence[str], remedy: str) -> Iterator[str]:
    """Yield what may not be built, at any depth; nothing is imported but these packages.

    Of those that were ``named``, functions that make modules are called, too.
    """
    for key, node in nodes(config):
        if isinstance(node, str) and "${" in node:
            yield f"{node}: an interpolation, which could stand for anything"
        if key.rpartition(".")[2] == "_target_":
            yield from untrusted_target(node, homes, named, remedy)


def untrusted_target(target: Any, homes: Sequence[str], named: Sequence[str], remedy: str) -> Iterator[str]:
    """Yield why a target may not be built: the package that it names, or the thing that it is."""
    package = str(target).partition(".")[0]
    known = sorted({home.partition(".")[0] for home in homes})
    if package not in known:
        yield (
            f"_target_={target}: a file may name things of {', '.join(known)} only. If you trust "
            f"it, type: {remedy}"
        )
    elif not is_buildable(thing := hydra.utils.get_object(str(target)), homes, named):
        yield (
            f"_target_={target}: a file may name modules, data modules, optimizers, schedulers, metrics, "
            f"initializations and what overnight.training.trust.buildable marks, all from "
            f"{', '.join(dict.fromkeys(homes))}; this is {thing}{of_function(thing, remedy)}"
        )


def of_function(thing: Any, remedy: str) -> str:
    """Say what is needed of a function that makes modules, so that it is called."""
    if makes_modules(thing):
        return f", which makes modules. If you trust it, type: {remedy}"
    return ANNOTATED if inspect.isfunction(thing) and not is_of(thing, NOT_CALLED) else ""


def is_buildable(thing: Any, homes: Sequence[str], named: Sequence[str]) -> bool:
    """Tell by what a thing is, and where it is defined, whether it may be built."""
    if computes(thing):
        return True
    if inspect.isclass(thing) and issubclass(thing, KINDS):
        return is_of(thing, homes)
    marked = any(thing is each for each in BUILDABLE)
    return (marked and is_of(thing, homes)) or (makes_modules(thing) and is_of(thing, named))


def is_of(thing: Any, homes: Sequence[str]) -> bool:
    """Tell whether a thing is defined in one of these packages or modules."""
    return f"{getattr(thing, '__module__', '')}.".startswith(tuple(f"{home}." for home in homes))


def computes(thing: Any) -> bool:
    """Tell whether a thing is one of torch's functions that do nothing but compute numbers."""
    name = str(getattr(thing, "__name__", "_"))
    own = any(getattr(module, name, None) is thing and is_of(thing, DEFINED) for module in COMPUTING)
    return thing is torch.tensor or (own and not name.startswith("_") and not inspect.isclass(thing))


def makes_modules(thing: Any) -> bool:
    """Tell whether a thing is a function that is annotated to return a module, and may be called."""
    made: Any = None
    if inspect.isfunction(thing) and not is_of(thing, NOT_CALLED):
        with suppress(Exception):  # an annotation of what cannot be imported
            made = get_type_hints(thing).get("return")
    return inspect.isclass(made) and issubclass(made, KINDS)
