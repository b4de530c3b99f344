"""What a run by itself has in files and in the process, and a member for itself: checkpoints, generators."""

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Generator, Tensor

Config = dict[str, Any]


class HeldCheckpoints(CheckpointIO):
    """Keeps the checkpoints that Lightning saves in memory, until the run's directory is ready for them."""

    def __init__(self, generators: Config) -> None:
        self.held: dict[Path, Config] = {}
        self.generators = generators

    def save_checkpoint(
        self, checkpoint: Config, path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Copy it: the tensors in it go on changing. The generators are the member's, not the process's."""
        states = {name: [g.get_state() for g in part] for name, part in self.generators.items()}
        generators = {"cpu": states["cpu"][0], "cuda": states["cuda"]}
        self.held[Path(path).resolve()] = apply_to_collection(
            checkpoint | {"generators": generators}, Tensor, Tensor.clone
        )

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> Config:
        """Return what is held."""
        return self.held[Path(path).resolve()]

    def remove_checkpoint(self, path: str | Path) -> None:
        """Forget it."""
        self.held.pop(Path(path).resolve(), None)


def own_generators(device: torch.device, seed: int) -> Config:
    """Return a generator that goes on where the process's stands, and one for a device that has its own."""
    cpu = Generator()
    cpu.set_state(torch.get_rng_state())
    others = [] if device.type == "cpu" else [Generator(device).manual_seed(seed)]
    return {"cpu": [cpu], "cuda": others}
