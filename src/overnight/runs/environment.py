"""Where a run ran: the code, the versions, the machine."""

import functools
import os
import platform
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

from overnight.config.cli import PROJECT

LIBRARIES = ("lightning", "torchvision", "torchmetrics", "hydra-core", "omegaconf", "numpy")
LONGEST_DIFF = 200_000  # characters; somebody may have left data beside the code


def environment() -> dict[str, object]:
    """Return what a run's record says of its code, versions and machine."""
    import torch  # noqa: PLC0415 - the parent of a sweep needs this module, and no torch

    return {
        **code(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        **{name: version(name) for name in LIBRARIES},
        "platform": platform.platform(),
        "host": platform.node(),
        "threads": torch.get_num_threads(),
    }


@functools.cache
def code() -> dict[str, object]:
    """Return the commit of the code, and how it differs from that; None outside a checkout of git.

    Asked for the first time when the code has just been imported: what is edited later does not run.
    """
    status = git("status", "--porcelain")
    return {
        "git_commit": git("rev-parse", "HEAD"),
        "git_dirty": None if status is None else bool(status),
        "git_diff": diff() if status else None,
    }


def diff() -> str | None:
    """Return the changes since the commit, files that git does not know yet among them.

    They are announced in a copy of the index, since the user's own is not ours to change.
    """
    index = git("rev-parse", "--path-format=absolute", "--git-path", "index")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, "index")
        if index and Path(index).is_file():
            shutil.copy(index, copy)
        git("add", "--intent-to-add", "--all", ":/", GIT_INDEX_FILE=str(copy))
        text = git("diff", "HEAD", "--", ":/", GIT_INDEX_FILE=str(copy))
    if text and len(text) > LONGEST_DIFF:
        return f"{text[:LONGEST_DIFF]}\n[cut: {len(text):,} characters in all]"
    return text


def git(*arguments: str, **variables: str) -> str | None:
    """Return what git prints about the project's folder, or None where git knows nothing of it."""
    try:
        answer = subprocess.run(
            ["git", "-C", os.environ.get(PROJECT, "."), *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=True,
            env=os.environ | variables,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
