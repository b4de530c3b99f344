"""Commands as they are printed: pasted into a shell, each does what it says."""

import shlex
import sys
from pathlib import Path


def command(script: str, *arguments: object) -> str:
    """Write a command that runs a script of this project, which lies beside the one that runs now.

    ``KEY=PATH`` needs no quotes for Hydra if the path exists: see ``arguments.quote_paths``.
    """
    beside = Path(sys.argv[0]).with_name(script)
    return shlex.join(["python", str(beside) if beside.is_file() else script, *map(str, arguments)])


def tensorboard_command(directory: str | Path) -> list[str]:
    """Write the command that shows the curves in a folder, as the only item; [] if there are none."""
    drawn = any(Path(directory).rglob("events.out.tfevents.*"))
    return [shlex.join(["tensorboard", "--logdir", str(directory)])] * drawn
