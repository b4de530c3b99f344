"""The modules of a project of which a run is built, each by a hash of its file. Standard library only.

Two runs of one configuration have the same results only if these are the same, too.
"""

import functools
import hashlib
import importlib
import inspect
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

NOT_OWN = ("overnight", "hydra_plugins")
"""The machinery, whose changes concern every run; ``environment`` has the commit."""
INSTALLED = {"site-packages", "dist-packages"}
STANDARD = sysconfig.get_path("stdlib")

Sources = dict[str, str]


def sources(config: dict[str, Any]) -> Sources:
    """Return name and hash of each module that defines a part, and of those that they take names from."""
    found: Sources = {}
    waiting = [defined_in(target) for target in targets(config)]
    while waiting:
        name = waiting.pop()
        if name in found or not is_own(sys.modules.get(name)):
            continue
        found[name] = digest(name)
        waiting += named_in(sys.modules[name])
    return dict(sorted(found.items()))


def edited(before: Sources | None, now: Sources) -> list[str]:
    """Return the modules that are other ones now than they were."""
    return [name for name, known in (before or {}).items() if now.get(name, known) != known]


def targets(node: Any) -> Iterator[str]:
    """Yield each ``_target_``, at any depth."""
    if isinstance(node, dict):
        yield from (str(value) for key, value in node.items() if key == "_target_")
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from targets(item)


def defined_in(target: str) -> str:
    """Return the module that a dotted path leads to: the longest one that can be imported."""
    parts = target.split(".")
    for end in range(len(parts), 0, -1):
        name = ".".join(parts[:end])
        if name in sys.modules:
            return name
        with suppress(Exception):  # building it will say what is wrong
            importlib.import_module(name)
            return name
    return ""


def is_own(module: ModuleType | None) -> bool:
    """Tell whether a module is a file of the project, and neither installed nor of Python."""
    file = getattr(module, "__file__", None)
    if not module or not file or module.__name__.partition(".")[0] in NOT_OWN:
        return False
    path = Path(file)
    return INSTALLED.isdisjoint(path.parts) and not path.is_relative_to(STANDARD)


@functools.cache
def digest(name: str) -> str:
    """Return a hash of a module's file as it was when first asked for: what is edited later does not run."""
    return hashlib.sha256(Path(str(sys.modules[name].__file__)).read_bytes()).hexdigest()[:12]


def named_in(module: ModuleType) -> Iterator[str]:
    """Yield the modules that the names in a module are from."""
    for value in list(vars(module).values()):
        name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        if isinstance(name, str) and name in sys.modules:
            yield name
