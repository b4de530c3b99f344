"""What the entry scripts share: a wrong command ends in one message, not in a traceback."""

import functools
import gc
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from overnight.config import arguments, folders, resolvers
from overnight.config.continuation import GOES_ON, THE_SAME
from overnight.config.explanations import explain

Result = TypeVar("Result")
INTERRUPTED = 130  # as shells report a program that SIGINT ended

COLLECTED_AFTER = 10_000
"""New objects after which Python looks for garbage; after its 700, imports take 4.6 s and not 3.8."""

resolvers.register()


def launch(main: Callable[[], object]) -> None:
    """Call a ``hydra.main`` function; print whatever error ends it as one message, and exit with 1.

    ``HYDRA_FULL_ERROR=1`` gives the traceback instead.
    """
    if {"-h", "--help"} & set(sys.argv[1:]):
        sys.stdout.write(help_text(Path(sys.argv[0]).stem))
        return
    gc.set_threshold(max(COLLECTED_AFTER, gc.get_threshold()[0]))
    os.environ[folders.PROJECT] = str(folders.project())
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C; Lightning calls it after its own
    GOES_ON.set(THE_SAME)
    typed = legible(arguments.arranged)(sys.argv[1:])
    config = legible(folders.find_config)(Path(sys.argv[0]).stem)
    sys.argv[1:] = legible(arguments.spell_out)(typed, config)
    if os.environ.get("HYDRA_FULL_ERROR") == "1":
        main()
        return
    os.environ["HYDRA_FULL_ERROR"] = "1"  # so that Hydra raises its errors and does not print them
    legible(main)()


def help_text(script: str) -> str:
    """Return the options of the script's groups, and its main config with its comments.

    Hydra's own help composes everything first, and looks for each group seven times.
    """
    path = folders.find_config(script)
    config = path.read_text(encoding="utf-8")
    shared = folders.SHIPPED / "overnight.yaml"
    inherited = f"\n{shared.name}, which it begins with:\n\n{shared.read_text(encoding='utf-8')}"
    listed = "".join(f"  {group:<15} {', '.join(folders.options(group))}\n" for group in folders.groups(path))
    return (
        f"python {script}.py [KEY=VALUE ...]                 one run\n"
        f"python {script}.py -m KEY=VALUE,VALUE ...          a sweep over all combinations\n"
        f"python {script}.py [KEY=VALUE ...] --cfg job       show what these compose, and run nothing\n"
        f"python {script}.py --hydra-help                    the other options\n\n"
        f"Groups, chosen by GROUP=OPTION, and changed by GROUP.KEY=VALUE:\n{listed}\n"
        f"{path.parent.name}/{script}.yaml:\n\n{config}{inherited if folders.is_based(config) else ''}"
    )


def legible(function: Callable[..., Result]) -> Callable[..., Result]:
    """Let a function end in one message where it would raise an error."""

    @functools.wraps(function)
    def wrapper(*positional: Any, **keywords: Any) -> Result:
        try:
            return function(*positional, **keywords)
        except KeyboardInterrupt:
            sys.stderr.write(
                "\nInterrupted. What had finished is kept; the run that was under way has no record yet.\n"
                f"To go on, type:\n  {GOES_ON.get()}\n"
            )
            sys.exit(INTERRUPTED)
        except Exception as error:  # noqa: BLE001 - the last place that can make it legible
            sys.exit(f"Error: {explain(error)}")

    return wrapper
