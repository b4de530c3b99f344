"""Where a run ran: the code, the versions, the machine."""

import platform
import subprocess
from pathlib import Path

import lightning
import torch

CODE = Path(__file__).parent


def environment(device: torch.device) -> dict[str, object]:
    """Return what a run's record says of its code and machine; git's part is None outside a checkout."""
    status = git("status", "--porcelain")
    return {
        "git_commit": git("rev-parse", "HEAD"),
        "git_dirty": None if status is None else bool(status),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "lightning": lightning.__version__,
        "device": str(device),
        "threads": torch.get_num_threads(),
    }


def git(*arguments: str) -> str | None:
    """Return what git prints about the folder of this file, or None where git knows nothing of it."""
    try:
        answer = subprocess.run(
            ["git", "-C", str(CODE), *arguments],
            capture_output=True,
            text=True,
            check=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()
