"""The parts of a module: its layers, and what it keeps beside them, such as a teacher in no state_dict."""

import functools
import sys
from collections import deque
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

DEEPEST, MOST_PARTS = 4, 1000
"""How deep in lists and dicts parts are looked for, and in how long ones."""


def all_parts(module: nn.Module) -> tuple[Parts, dict[str, str]]:
    """Return by their names all modules in a module, and those and other objects that its attributes hold.

    Objects are those of the project's own classes. What lies in lists and dicts is found, too. What has
    several names has its first one here; the second dict tells which one that is.
    """
    found = [*module.named_modules()]
    names = {id(part): path for path, part in found}
    registered = module.named_modules(remove_duplicate=False)
    also = {path: names[id(part)] for path, part in registered if path != names[id(part)]}
    for path, part in found:  # which grows
        for name, value in held(part):
            full = f"{path}.{name}".lstrip(".")
            if id(value) in names:
                also[full] = names[id(value)]
                continue
            of_module = isinstance(value, nn.Module)
            more = [*value.named_modules(prefix=full)] if of_module else [(full, value)]
            more = [(path, each) for path, each in more if id(each) not in names]
            found += more
            names |= {id(each): path for path, each in more}
    return dict(found), also


def held(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the modules and objects that the attributes of a part hold, by their names."""
    for name, value in vars(part).items():
        if name not in OF_MODULES:
            yield from parts_in(name, value, depth=DEEPEST)


def parts_in(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the modules and objects in a value, which may be a list or a dict of them."""
    if is_part(value):
        yield name, value
    elif depth and isinstance(value, dict | list | tuple | deque) and len(value) <= MOST_PARTS:
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            yield from parts_in(f"{name}.{key}", each, depth - 1)


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
