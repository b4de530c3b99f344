"""Arguments that people type and Hydra does not read: ``GROUP=null``, and keys of a group that is swept."""

import re
from collections.abc import Iterator
from pathlib import Path

from overnight.config import folders
from overnight.config.errors import ConfigError, one_of

OFF = {"null", "none", "[]"}
LISTED = re.compile(r"\[([\w, ]+)\]")
SWEPT = re.compile(r"([\w/]+)=(\w+(,\w+)+)")


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
