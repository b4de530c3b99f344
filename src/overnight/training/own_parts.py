"""The parts of a module: its layers, and what it keeps beside them, such as a teacher in no state_dict."""

import functools
import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning as L
from torch import nn
from torch.optim import Optimizer
from torch.utils.data import DataLoader, Dataset

from overnight.records.identity import is_of_project
from overnight.training.plain import OF_MODULES

Parts = dict[str, Any]

WHOLE = (Optimizer, Dataset, DataLoader, L.Trainer, L.LightningDataModule, L.Callback)
"""Objects that have their own place, or that nobody changes."""


def all_parts(module: nn.Module) -> Parts:
    """Return by their names all modules in a module, and those and other objects that its attributes hold.

    Objects are those of the project's own classes. What lies in lists and dicts is found, too.
    """
    found = [*module.named_modules()]
    seen = {id(part) for _, part in found}
    for path, part in found:  # which grows
        for name, value in held(part):
            if id(value) not in seen:
                full = f"{path}.{name}".lstrip(".")
                of_module = isinstance(value, nn.Module)
                more = [*value.named_modules(prefix=full)] if of_module else [(full, value)]
                found += more
                seen |= {id(each) for _, each in more}
    return dict(found)


def held(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the modules and objects that the attributes of a part hold, by their names."""
    for name, value in vars(part).items():
        if name in OF_MODULES:
            continue
        if isinstance(value, dict):
            yield from ((f"{name}.{key}", each) for key, each in value.items() if is_part(each))
        elif isinstance(value, list | tuple):
            yield from ((f"{name}.{place}", each) for place, each in enumerate(value) if is_part(each))
        elif is_part(value):
            yield name, value


def is_part(value: Any) -> bool:
    """Tell whether a value is a module, or an object of one of the project's own classes."""
    return isinstance(value, nn.Module | SimpleNamespace) or (
        is_own(type(value).__module__)
        and hasattr(value, "__dict__")
        and not isinstance(value, (Enum, *WHOLE))
    )


@functools.cache
def is_own(module: str) -> bool:
    """Tell whether a Python module is one of the project's."""
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is not None and is_of_project(Path(file))
