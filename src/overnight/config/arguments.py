"""What was typed behind the script's name, made such that Hydra reads it as it was meant."""

import os
import re
import shlex
from glob import glob
from pathlib import Path
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from overnight.config import folders
from overnight.config.errors import ConfigError
from overnight.config.overrides import quote_value

HOME = re.compile(r"(^|(?<=[=,:'\"\[]))(~|\$HOME|\$\{HOME\})(?=/)")
"""The home directory where a path begins; in quotes, or behind a ``=``, the shell leaves it as it is."""

SPECIAL = re.compile(r"[^\w./+-]", re.ASCII)
"""Characters that mean something else to Hydra, as in a run's folder ``lr=0.1,optimizer=sgd``."""


def arranged(arguments: list[str]) -> list[str]:
    """Let options stand anywhere, ``~/`` be the home directory, and paths have any name.

    Raises:
        ConfigError: there is no such option; or a path was typed without its key.
    """
    typed = [expand_home(argument) for argument in arguments]
    parser = get_args_parser()
    parser.error = refuse_option  # type: ignore[method-assign]
    overrides: list[str] = parser.parse_intermixed_args(typed).overrides
    refuse_paths_without_key(overrides)
    if parser.parse_known_args(typed)[1]:  # Hydra takes the overrides in one piece only
        options = list(typed)
        for override in overrides:
            options.remove(override)
        typed = [*overrides, *options]
    return [quote_paths(argument) if argument in overrides else argument for argument in typed]


def refuse_option(message: str) -> NoReturn:
    """Say what is wrong with an option, in place of argparse's list of all (ConfigError)."""
    raise ConfigError(
        f"{message}. Needed: settings without dashes, as in lr=0.1, and options that --hydra-help lists"
    )


def expand_home(text: str) -> str:
    """Write the home directory in place of ``~``, ``$HOME`` or ``${HOME}`` wherever a path begins so."""
    return HOME.sub(lambda _: str(Path.home()), text)


def expanded_path(text: str) -> Path:
    """Return a path that was typed; ``argparse`` calls this."""
    return Path(expand_home(text))


def sweep_path(text: str) -> Path:
    """Return the folder that was typed by its path, or by a sweep's name; ``argparse`` calls this."""
    return folders.find_sweep(expanded_path(text))


def refuse_paths_without_key(overrides: list[str]) -> None:
    """Refuse a checkpoint that was typed by itself (ConfigError)."""
    for text in overrides:
        if os.path.isfile(text) or (text.endswith(".ckpt") and "=" not in text):  # noqa: PTH113 - may be too long
            example = shlex.quote(f"ckpt_path={text}")
            raise ConfigError(f"{text}: needed: KEY=VALUE. Type for example: {example}")


def quote_paths(override: str) -> str:
    """Quote the paths in ``KEY=PATH``, ``KEY=PATH,PATH`` or ``KEY=*/PATH`` as far as needed, if they exist.

    Shells leave a star alone behind ``KEY=``.
    """
    key, _, value = override.partition("=")
    paths = existing_paths(value.split(","))
    if "*/" in value and not paths:
        paths = sorted(glob(value))  # noqa: PTH207 - pathlib's takes no absolute one
    written = [quote_value(path) if SPECIAL.search(path) else path for path in paths]
    return f"{key}={','.join(written)}" if paths else override


def existing_paths(pieces: list[str]) -> list[str]:
    """Join pieces by commas into paths that exist, each as long as can be; [] if some are no path."""
    paths: list[str] = []
    while pieces:
        ends = range(len(pieces), 0, -1)
        end = next((end for end in ends if os.path.exists(",".join(pieces[:end]))), 0)  # noqa: PTH110
        if not end:
            return []
        paths, pieces = [*paths, ",".join(pieces[:end])], pieces[end:]
    return paths
