"""What a run by itself has in files and in the process, and a member for itself: checkpoints, generators."""

from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning.fabric.plugins import CheckpointIO
from lightning_utilities.core.apply_func import apply_to_collection
from torch import Generator, Tensor

from overnight.training.generators import generator_states

Config = dict[str, Any]


class Generators(NamedTuple):
    """What a run of its own would draw from.

    Args:
        cpu: goes on where the process's stood when the member was built.
        cuda: one for a device that has its own; else [].
        others: the states of the others, from which nothing is drawn.
    """

    cpu: Generator
    cuda: list[Generator]
    others: Config


class HeldCheckpoints(CheckpointIO):
    """Keeps the checkpoints that Lightning saves in memory, until the run's directory is ready for them."""

    def __init__(self, generators: Generators) -> None:
        self.held: dict[Path, Config] = {}
        self.generators = generators

    def save_checkpoint(
        self, checkpoint: Config, path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Copy what goes on changing in it. The generators are the member's, not the process's."""
        own = self.generators
        drawn = {"torch": own.cpu.get_state(), "cuda": [generator.get_state() for generator in own.cuda]}
        states = checkpoint["generators"] | own.others | drawn
        changing = checkpoint | {"generators": states, "config": None}  # which is large, and stays as it is
        copied: Config = apply_to_collection(changing, Tensor, Tensor.clone)
        self.held[Path(path).resolve()] = copied | {"config": checkpoint["config"]}

    def load_checkpoint(self, path: str | Path, *_: Any, **__: Any) -> Config:
        """Return what is held."""
        return self.held[Path(path).resolve()]

    def remove_checkpoint(self, path: str | Path) -> None:
        """Forget it."""
        self.held.pop(Path(path).resolve(), None)


def own_generators(device: torch.device, seed: int) -> Generators:
    """Return generators that go on where the process's stand."""
    cpu = Generator()
    cpu.set_state(torch.get_rng_state())
    others = [] if device.type == "cpu" else [Generator(device).manual_seed(seed)]
    return Generators(cpu, others, generator_states())
