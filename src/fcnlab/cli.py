"""What the entry scripts share: a wrong command ends in one message, not in a traceback."""

import errno
import functools
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from hydra.errors import HydraException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    InterpolationResolutionError,
    MissingMandatoryValue,
)

from fcnlab import resolvers
from fcnlab.spelling import one_of

CONF = Path(__file__).parents[2] / "conf"

Result = TypeVar("Result")
INTERRUPTED = 130  # as shells report a program that SIGINT ended

resolvers.register()


def launch(main: Callable[[], object]) -> None:
    """Call a ``hydra.main`` function; print whatever error ends it as one message, and exit with 1.

    ``HYDRA_FULL_ERROR=1`` gives the traceback instead.
    """
    if {"-h", "--help"} & set(sys.argv[1:]):
        sys.stdout.write(help_text(Path(sys.argv[0]).stem))
        return
    sys.argv[1:] = map(quoted, sys.argv[1:])
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        main()
        return
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra raises its errors and does not print them
    legible(main)()


def help_text(script: str) -> str:
    """Return the options of the script's groups, and its main config with its comments.

    Hydra's own help composes everything first, and looks for each group seven times.
    """
    config = (CONF / f"{script}.yaml").read_text(encoding="utf-8")
    groups = sorted(
        path for path in CONF.iterdir() if f"\n  - {path.name}: " in config and path.name != "hydra"
    )
    options = {
        group.name: ", ".join(sorted(path.stem for path in group.glob("*.yaml")))
        for group in groups
        if group.name != "hydra"
    }
    listed = "".join(f"  {group:<15} {names}\n" for group, names in options.items())
    return (
        f"python {script}.py [KEY=VALUE ...]                 one run\n"
        f"python {script}.py -m KEY=VALUE,VALUE ...          a sweep over all combinations\n"
        f"python {script}.py [KEY=VALUE ...] --cfg job       show what these compose, and run nothing\n"
        f"python {script}.py --hydra-help                    the other options\n\n"
        f"Groups, chosen by GROUP=OPTION, and changed by GROUP.KEY=VALUE:\n{listed}\n"
        f"conf/{script}.yaml:\n\n{config}"
    )


def legible(function: Callable[..., Result]) -> Callable[..., Result]:
    """Let a function end in one message where it would raise an error."""

    @functools.wraps(function)
    def wrapper(*arguments: Any, **keywords: Any) -> Result:
        try:
            return function(*arguments, **keywords)
        except KeyboardInterrupt:
            sys.stderr.write(
                "\nInterrupted: what had finished is kept; what was under way has no record.\n"
                "To go on, type the same command; that of a sweep without a task_name, status.py tells.\n"
            )
            sys.exit(INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - the last place that can make it legible
            sys.exit(f"Error: {explain(error)}")

    return wrapper


def quoted(argument: str) -> str:
    """Quote the path in KEY=PATH if it exists: to Hydra, the signs in a run's name mean something else."""
    key, _, value = argument.partition("=")
    special = re.search(r"[=,~]", value) and exists(value)
    return f"{key}='{value}'" if special else argument


def exists(path: str) -> bool:
    """Tell whether there is such a path; a list of values may be longer than the name of a file can be."""
    try:
        return Path(path).exists()
    except OSError:
        return False


def explain(error: BaseException) -> str:
    """Return what was given, what is needed and what to type, as far as the error tells."""
    for kind, describe in EXPLANATIONS:
        if isinstance(error, kind):
            return describe(error)
    cause = error.__cause__ if isinstance(error, HydraException) else None
    return explain(cause) if cause else " ".join(str(error).split()) or type(error).__name__


def no_such_option(error: Any) -> str:
    """Explain a name that is no file of its group."""
    group, _, option = str(error.missing_cfg_file).removesuffix(".yaml").rpartition("/")
    options = [path.stem for path in (CONF / group).glob("*.yaml")]
    return f"{group}={option}: there is no such option. {one_of(option, options)}"


def no_such_key(error: Any) -> str:
    """Explain a key that is not in the configuration."""
    parent = error.parent_node
    known = [str(key) for key in parent] if isinstance(parent, DictConfig) else []
    return f"{error.full_key}: there is no such key. {one_of(str(error.key), known)}"


def unreadable(error: Any) -> str:
    """Explain an override that is not of the form KEY=VALUE."""
    return (
        f"{error.override}: cannot be read. Needed: KEY=VALUE. "
        f"Type for example: lr=0.01, or in quotes what the shell would change: 'model.hidden_sizes=[64,32]'"
    )


def missing_value(error: Any) -> str:
    """Explain a key that has no default and was not given."""
    return f"{error.full_key}: a value is missing. Needed: {error.full_key}=VALUE"


def unresolved(error: Any) -> str:
    """Return what a resolver itself said, without OmegaConf's words around it."""
    text = " ".join(str(error).split())
    said = re.search(r"raised while resolving interpolation: (.*?)(?: full_key: |$)", text)
    return said[1] if said else text


def unwritable(error: Any) -> str:
    """Explain a file that the disk does not take; other errors of the system explain themselves."""
    if error.errno not in {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES}:
        return str(error)
    path = error.filename or "a file"
    return (
        f"{path} cannot be written: {error.strerror}. Needed: a folder with room that you "
        f"may write to. What is recorded is kept: make room and type the same command again, or type for "
        f"example: hydra.sweep.dir=FOLDER (for a single run: hydra.run.dir=FOLDER)"
    )


Kind = type[Exception] | tuple[type[Exception], ...]

EXPLANATIONS: tuple[tuple[Kind, Callable[[Any], str]], ...] = (
    (MissingConfigException, no_such_option),
    (OverrideParseException, unreadable),
    (MissingMandatoryValue, missing_value),
    ((ConfigAttributeError, ConfigKeyError), no_such_key),
    (InterpolationResolutionError, unresolved),
    (OSError, unwritable),
)
