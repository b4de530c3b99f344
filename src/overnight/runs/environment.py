"""Where a run ran: the code, the versions, the machine."""

import platform
from importlib.metadata import version

from overnight.runs.checkout import code

LIBRARIES = ("lightning", "torchvision", "torchmetrics", "hydra-core", "omegaconf", "numpy")


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
