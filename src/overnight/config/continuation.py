"""The command that goes on with a run or a sweep that was interrupted."""

import shlex
import sys
from contextvars import ContextVar
from pathlib import Path
from typing import Literal

from omegaconf import DictConfig

from overnight.config import folders
from overnight.config.overrides import write_value

THE_SAME = "the same command"
GOES_ON = ContextVar("goes_on", default=THE_SAME)
"""How to go on with what is under way."""


def going_on(config: DictConfig, kind: Literal["run", "sweep"], *more: str) -> str:
    """Return what was typed, and ``more``, as a command for the same folder, even if the clock has named it.

    ``config`` has Hydra's part, too.
    """
    directory, name = str(config.hydra[kind].dir), str(config.task_name)
    usual = str(Path(folders.outputs(), f"{kind}s", name))
    key, value = ("task_name", name) if directory == usual else (f"hydra.{kind}.dir", directory)
    kept = [text for text in sys.argv[1:] if text.lstrip("+").partition("=")[0] != key]
    return shlex.join(["python", *sys.argv[:1], *kept, f"{key}={write_value(value)}", *more])
