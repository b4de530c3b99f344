"""What a run by itself has in files and in the process, and a member for itself: checkpoints, generators."""

from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins import CheckpointIO
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Generator, Tensor

from overnight.training.generators import generator_states

Config = dict[str, Any]


class HeldCheckpoints(CheckpointIO):
    """Keeps the checkpoints that Lightning saves in memory, until the run's directory is ready for them."""

    def __init__(self, generator: Generator) -> None:
        self.held: dict[Path, Config] = {}
        self.generator, self.others = generator, generator_states()

    def save_checkpoint(
        self, checkpoint: Config, path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Copy what goes on changing in it. The generators are the member's, not the process's."""
        drawn = self.generator.get_state()
        own = {"torch": drawn} if self.generator.device.type == "cpu" else {"cuda": [drawn]}
        states = self.others | own
        changing = checkpoint | {"generators": states, "config": None}  # which is large, and stays as it is
        copied: Config = apply_to_collection(changing, Tensor, Tensor.clone)
        self.held[Path(path).resolve()] = copied | {"config": checkpoint["config"]}

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> Config:
        """Return what is held."""
        return self.held[Path(path).resolve()]

    def remove_checkpoint(self, path: str | Path) -> None:
        """Forget it."""
        self.held.pop(Path(path).resolve(), None)


def own_generator(device: torch.device, seed: int) -> Generator:
    """Return what dropout draws from in a run of its own; on a CPU it goes on where the process's stands."""
    cpu = device.type == "cpu"
    return Generator().set_state(torch.get_rng_state()) if cpu else Generator(device).manual_seed(seed)
