"""Commands as they are printed: pasted into a shell, each does what it says."""

import shlex
import sys
from pathlib import Path

SWEEPING = ("experiment=", "hparams_search=")
OF_SWEEPS = ("task_name=", "hydra/sweeper=", "study.", "tags=")
"""What was typed for the sweep and not for the run."""


def command(script: str, *arguments: object) -> str:
    """Write a command that runs a script of this project, which lies beside the one that runs now.

    ``KEY=PATH`` needs no quotes for Hydra if the path exists: see ``arguments.quote_paths``.
    """
    beside = Path(sys.argv[0]).with_name(script)
    return shlex.join(["python", str(beside) if beside.is_file() else script, *map(str, arguments)])


def alone(overrides: list[str]) -> str:
    """Write the command that trains one run of a sweep by itself.

    An experiment, or a prepared search, would sweep; but it may set more than what is swept.
    """
    own = [text for text in overrides if not text.startswith(OF_SWEEPS)]
    swept = any(text.startswith(SWEEPING) for text in own)
    return command("train.py", *own, *["hydra.mode=RUN", "task_name=winner"] * swept)


def tensorboard_command(directory: str | Path) -> list[str]:
    """Write the command that shows the curves in a folder, as the only item; [] if there are none."""
    drawn = any(Path(directory).rglob("events.out.tfevents.*"))
    return [shlex.join(["tensorboard", "--logdir", str(directory)])] * drawn
