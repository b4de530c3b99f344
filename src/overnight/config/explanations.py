"""Errors of Hydra, OmegaConf and the system, each in one message: given, needed, what to type."""

import errno
import re
import shlex
import sys
from functools import singledispatch
from pathlib import Path
from typing import Any

import hydra
from hydra.errors import (
    ConfigCompositionException,
    HydraException,
    MissingConfigException,
    OverrideParseException,
)
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
    ValidationError,
)

from overnight.config import folders
from overnight.config.commands import command
from overnight.config.errors import one_of
from overnight.config.habits import HABITS
from overnight.config.keys import AS_OPTION
from overnight.config.schema import parameters_of

LISTS = {"callbacks", "logger"}
"""Sections of parts, to which others may be added under any name."""

OF_HYDRA = {
    r"(\w+)\.__init__\(\) got an unexpected keyword argument '(\w+)'": (
        "{1}: {0} does not take it. Needed: only what it takes. Leave it out"
    ),
    r"Hydra (launcher|sweeper) is not configured": "hydra.{0}=null: needed: one. Type: hydra/{0}=basic",
}
"""What Hydra says of its own parts, and what to say instead."""


@singledispatch
def explain(error: Any) -> str:
    """Return what was given, what is needed and what to type, as far as the error tells."""
    cause = error.__cause__ if isinstance(error, HydraException) else None
    text = " ".join(str(error).split()) or type(error).__name__
    for pattern, said in OF_HYDRA.items():
        if match := re.fullmatch(pattern, text):
            return said.format(*match.groups())
    return explain(cause) if cause else text


@explain.register(MissingConfigException)
def _no_such_option(error: Any) -> str:
    if not error.missing_cfg_file:
        return " ".join(str(error).split())
    group, _, option = str(error.missing_cfg_file).removesuffix(".yaml").rpartition("/")
    known = folders.options(group)
    if not known and "/" in group:
        group, _, within = group.partition("/")
        option, known = f"{within}/{option}", folders.options(group)
    hint = HABITS.get(f"{group}={option}") or one_of(option, known)
    return f"{group}={option}: there is no such option. {hint}"


@explain.register(ConfigAttributeError)
@explain.register(ConfigKeyError)
def _no_such_key(error: Any) -> str:
    parent = error.parent_node
    key, full_key = str(error.key), str(error.full_key)
    known = {str(key) for key in parent} if isinstance(parent, DictConfig) else set()
    groups = folders.groups_of_script() if key == full_key else []
    if key in groups:
        return f"{key}: this group has no options yet. Needed: a file of one, conf/{key}/NAME.yaml"
    hint = HABITS.get(full_key) or to_add(full_key, key, parent) or deeper(full_key, key, parent)
    hint = hint or had_by(full_key) or one_of(key, {*known, *groups} - {"hydra"})
    if full_key.rpartition(".")[0] in LISTS and "Did you mean" not in hint:
        hint += f". To add it, type a plus: +{full_key}=VALUE"
    return f"{full_key}: there is no such key. {hint}"


@explain.register(ConfigCompositionException)
def _not_composed(error: Any) -> str:
    """Explain several values without -m, a group that the script lacks, and a key that an option lacks."""
    several = re.match(r"(?:Ambiguous value for argument|Sweep parameters) '(.*)'", str(error))
    if several:
        needed = "Needed: one, or a list in brackets, or -m for each in turn"
        again = command(Path(sys.argv[0]).name, "-m", *sys.argv[1:])
        return f"{several[1]}: several values. {needed}. Type: {again}"
    text = " ".join(str(error).split())
    other = re.match(r"Could not override '(\w+)'\. No match in the defaults list\. To append", text)
    if other:
        script = Path(sys.argv[0]).stem
        known = folders.keys(folders.find_config(script))
        return f"{other[1]}: {script}.py has no such group. {one_of(other[1], known)}"
    found = re.search(r"(?:Could not override '|full_key: )(hydra[./]\w+[./]\w+)", text)
    if found and (hint := had_by(found[1])):
        return f"{found[1]}: there is no such key. {hint}"
    return explain(error.__cause__) if error.__cause__ else text


def deeper(full_key: str, key: str, section: Any) -> str:
    """Say where a part of the section has the key; "" if none has."""
    parts = section.items_ex(resolve=False) if isinstance(section, DictConfig) else ()
    within = full_key.removesuffix(key)
    having = [str(name) for name, part in parts if isinstance(part, DictConfig) and key in part]
    places = [f"{within}{name}.{key}" for name in having]
    return f"Did you mean {' or '.join(places)}?" if places else ""


def had_by(full_key: str) -> str:
    """Say which options have a key that the chosen ones lack; "" if none has."""
    section, _, key = full_key.replace(".", "/").rpartition("/")
    having = folders.options_with(section, key) if section else []
    having.sort(key=lambda option: not option.startswith(f"{section}="))
    search = "; for a search type for example: hparams_search=tpe" if section == "hydra/sweeper" else ""
    return f"Needed with it: {' or '.join(having)}{search}" if having else ""


def to_add(full_key: str, key: str, section: Any) -> str:
    """Say how to add a key that what the section builds can take; "" if it cannot."""
    target = section.get("_target_") if isinstance(section, DictConfig) else None
    takes = parameters_of(hydra.utils.get_object(target)) if target else {}
    return f"To add it, type a plus: +{full_key}=VALUE" if key in takes else ""


@explain.register(OverrideParseException)
def _unreadable(error: Any) -> str:
    key, _, value = str(error.override).partition("=")
    needed = (
        "Needed: KEY=VALUE without spaces, in quotes what the shell would change, 'KEY=[first,second]', and "
        "in quotes of its own a value with signs in it, 'KEY=\"epoch={epoch}\"'"
    )
    if re.fullmatch(r"[^][(){}\"',\s]+", value):
        needed = "Needed: quotes. Type: " + shlex.quote(f'{key}="{value}"')
    return f"{error.override}: cannot be read. {needed}"


@explain.register(ValidationError)
def _wrong_type(error: Any) -> str:
    """Explain a value of a key whose type is declared: Hydra's own are, and some of a project's may be."""
    key, said = str(error.full_key), " ".join(str(error.msg).split()).partition(" full_key: ")[0]
    part = "hydra" if key.startswith("hydra") else "job"
    return f"{key}: {said[:1].lower()}{said[1:]}. Needed: another value. To see all keys, type: --cfg {part}"


@explain.register(MissingMandatoryValue)
def _missing_value(error: Any) -> str:
    return f"{error.full_key}: a value is missing. Needed: {error.full_key}=VALUE"


@explain.register(InterpolationKeyError)
def _refers_to_nothing(error: Any) -> str:
    missing = re.sub(r".*Interpolation key '(.*?)' not found.*", r"\1", str(error), flags=re.DOTALL)
    return (
        f"{error.full_key} refers to ${{{missing}}}, and there is no such key. Needed: {missing}, in the "
        f"chosen file. To add it for one run, type a plus: +{missing}=VALUE"
    )


@explain.register(InterpolationResolutionError)
def _unresolved(error: Any) -> str:
    """Return what a resolver itself said, without OmegaConf's words around it."""
    text = " ".join(str(error).split())
    if option := re.search(r"node `(\w+)` is not a container", text):
        return (
            f"{option[1]}: a file sets this group to a text. Needed: {AS_OPTION.format(option[1], 'OPTION')}"
        )
    said = re.search(r"raised while resolving interpolation: (.*?)(?: full_key: |$)", text)
    return said[1] if said else text


UNWRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOTDIR, errno.EEXIST}
"""Disks that are full, or closed; and a file, or a link to nowhere, in the place of a folder."""


@explain.register(OSError)
def _unwritable(error: Any) -> str:
    """Explain a file that the disk does not take; other errors of the system explain themselves."""
    if error.errno in {errno.ENOLCK, errno.EOPNOTSUPP}:
        return (
            f"{error.strerror}: the file system of the folder has no locks, and two processes could write "
            f"into one run. Needed: a folder elsewhere. Type for example: hydra.sweep.dir=FOLDER (for a "
            f"single run: hydra.run.dir=FOLDER)"
        )
    if error.errno not in UNWRITABLE:
        return str(error)
    path = error.filename or "a file"
    return (
        f"{path} cannot be written: {error.strerror}. Needed: a folder with room that you "
        f"may write to. What is recorded is kept: make room and type the same command again, or type for "
        f"example: hydra.sweep.dir=FOLDER (for a single run: hydra.run.dir=FOLDER)"
    )
