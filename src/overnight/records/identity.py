"""What a run is known by: hashes of its configuration, of the files that it begins with, and of its code.

Two runs of one configuration have the same results only if the modules of the project are the same, too.
Standard library only.
"""

import functools
import hashlib
import importlib
import inspect
import json
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

Config = dict[str, Any]
Sources = dict[str, str]

COSMETIC = (
    *("task_name", "tags", "logger", "cosmetic", "retries", "on_failure", "study", "callbacks.progress_bar"),
    *("callbacks.checkpoint.dirpath", "callbacks.last_checkpoint.dirpath"),
    "traits_of_data",
)
"""What a run's result does not depend on: paths, looks, what follows a failure, what it is to answer.

The traits are what the data itself tells, whose content counts.

A project adds its own in the key ``cosmetic`` of its configuration.
"""

CONTENTS = ("ckpt_path", "init_from")
"""Paths of files whose content the result depends on; ``data.path`` is another one."""

MACHINERY = (Path(__file__).parents[1], Path(__file__).parents[2] / "hydra_plugins")
"""The machinery, whose changes concern every run; ``environment`` has the commit."""
INSTALLED = {"site-packages", "dist-packages"}
STANDARD = sysconfig.get_path("stdlib")


def fingerprint(config: Config) -> str:
    """Return a hash of all that a run's result depends on: the resolved config less what is cosmetic.

    A path of a file that training begins with counts by its content.
    """
    contents: Config = {key: content_hash(config[key]) for key in CONTENTS if config.get(key)}
    data = config.get("data") or {}
    if isinstance(data.get("path"), str):
        contents["data"] = data | {"path": content_hash(data["path"])}
    relevant = without_keys(config | contents, (*COSMETIC, *config.get("cosmetic", ())))
    text = json.dumps(relevant, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def content_hash(path: str) -> str:
    """Return a hash of a file, or of the arrays (.npy) in a folder; of a path with neither, the path."""
    arrays = sorted(Path(path).glob("*.npy")) if Path(path).is_dir() else []
    if arrays:
        return " ".join(f"{array.name} {content_hash(str(array))}" for array in arrays)
    if not Path(path).is_file():
        return path
    stat = Path(path).stat()
    return file_hash(Path(path).resolve(), stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=100)
def file_hash(path: Path, size: int, changed: int) -> str:  # noqa: ARG001 - keys of the cache
    """Read a file once, as long as its size and time of change stay: a sweep asks for each of its jobs."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_cosmetic(key: str, own: Iterable[str] = ()) -> bool:
    """Tell whether no result depends on this dotted key; ``own`` are those of the project."""
    return any(f"{key}.".startswith(f"{listed}.") for listed in (*COSMETIC, *own))


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each node, at any depth, with its dotted key; items of a list have their number in it."""
    yield path, node
    listed = enumerate(node) if isinstance(node, list | tuple) else ()
    for key, item in node.items() if isinstance(node, dict) else listed:
        yield from nodes(item, f"{path}.{key}" if path else str(key))


def without_keys(config: Config, keys: tuple[str, ...], prefix: str = "") -> Config:
    """Return the nested dict less these dotted keys."""
    return {
        key: without_keys(value, keys, f"{prefix}{key}.") if isinstance(value, dict) else value
        for key, value in config.items()
        if f"{prefix}{key}" not in keys
    }


def sources(config: Config) -> Sources:
    """Return name and hash of each module that defines a part, and of those that they take names from."""
    found: Sources = {}
    waiting = [defined_in(target) for target in targets(config)]
    while waiting:
        name = waiting.pop()
        file = getattr(sys.modules.get(name), "__file__", None)
        if name in found or not file or not is_of_project(Path(file)):
            continue
        found[name] = module_hash(name)
        waiting += named_in(sys.modules[name])
    return dict(sorted(found.items()))


def targets(config: Config) -> Iterator[str]:
    """Yield each ``_target_``, at any depth."""
    return (str(node) for key, node in nodes(config) if key.rpartition(".")[2] == "_target_")


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


def is_of_project(path: Path) -> bool:
    """Tell whether a file is neither installed, nor Python's, nor the machinery's."""
    others = [folder for folder in (STANDARD, *MACHINERY) if path.is_relative_to(folder)]
    return not others and INSTALLED.isdisjoint(path.parts)


@functools.cache
def module_hash(name: str) -> str:
    """Return a hash of a module's file as it was when first asked for: what is edited later does not run."""
    return hashlib.sha256(Path(str(sys.modules[name].__file__)).read_bytes()).hexdigest()[:12]


def named_in(module: ModuleType) -> Iterator[str]:
    """Yield the modules that the names in a module are from."""
    for value in list(vars(module).values()):
        name = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
        if isinstance(name, str) and name in sys.modules:
            yield name
