"""What was typed behind the script's name, made such that Hydra reads it as it was meant."""

import os
import re
import shlex
from collections.abc import Iterator
from glob import glob
from pathlib import Path
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from overnight.config import folders
from overnight.config.errors import ConfigError, one_of
from overnight.config.overrides import quote_value

HOME = re.compile(r"(^|(?<=[=,:'\"\[]))(~|\$HOME|\$\{HOME\})(?=/)")
"""The home directory where a path begins; in quotes, or behind a ``=``, the shell leaves it as it is."""

SPECIAL = re.compile(r"[^\w./+-]", re.ASCII)
"""Characters that mean something else to Hydra, as in a run's folder ``lr=0.1,optimizer=sgd``."""

OFF = {"null", "none", "[]"}
LISTED = re.compile(r"\[([\w, ]+)\]")
SWEPT = re.compile(r"([\w/]+)=(\w+(,\w+)+)")
"""How people turn a group off, which Hydra does not read; lists of options; and options that are swept."""


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


def spell_out(arguments: list[str], config: Path) -> list[str]:
    """Return the arguments of a command as Hydra reads them; its main configuration file names the groups.

    Raises:
        ConfigError: a group is turned off that has no such option.
    """
    groups, text = folders.groups(config), config.read_text(encoding="utf-8")
    empty = {group for group in groups if re.search(rf"^  - {group}: null$", text, flags=re.MULTILINE)}
    chosen = [option for argument in arguments for option in off(argument, groups, empty)]
    swept = {match[1] for argument in chosen if (match := SWEPT.fullmatch(argument))}
    return [single_choice(argument, swept & {*groups}) for argument in chosen]


def off(argument: str, groups: list[str], empty: set[str]) -> Iterator[str]:
    """Yield an argument; where it turns a group off in whatever spelling, in the one of its option ``none``.

    A group that is empty by itself needs no argument to be so.
    """
    group, sign, value = argument.partition("=")
    deleted = not sign and argument[:1] == "~" and argument[1:] in groups
    group, value = (argument[1:], "null") if deleted else (group, value)
    for listed in LISTED.findall(value) if group in groups else ():
        refuse_contradictory(argument, group, [option.strip() for option in listed.split(",")])
    options = value.split(",") if re.fullmatch(r"[\w,]+", value) else [value]
    if group not in groups or OFF.isdisjoint(options):
        yield argument
    elif "none" in folders.options(group):
        yield f"{group}={','.join('none' if option in OFF else option for option in options)}"
    elif group not in empty:
        raise ConfigError(f"{argument}: this group cannot be off. {one_of('', folders.options(group))}")
    elif options[1:]:
        raise ConfigError(f"{argument}: needed: options of {group}, {', '.join(folders.options(group))}")


def refuse_contradictory(argument: str, group: str, options: list[str]) -> None:
    """Refuse a list that has an option twice, or turns its group off beside other options (ConfigError)."""
    needed = list(dict.fromkeys(option for option in options if option not in OFF)) or ["none"]
    if len(options) > 1 and options != needed:
        raise ConfigError(
            f"{argument}: needed: each option once, and none alone. Type: {group}=[{','.join(needed)}]"
        )


def single_choice(argument: str, swept: set[str]) -> str:
    """Write a key of a swept group as a choice of one value.

    Hydra composes the sweep itself first, without what is swept: with the group's default option, which may
    not have the key.
    """
    key, sign, value = argument.partition("=")
    inner = sign and key.partition(".")[0] in swept and "." in key
    return f"{key}=choice({value})" if inner and not re.search(r"\w,|\(", value) else argument
