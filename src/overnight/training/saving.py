"""Checkpoints on disk: written whole or not at all, and never such as could not be loaded again."""

import io
import pickle
import re
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from overnight.config.errors import ConfigError
from overnight.records.atomic import replacing


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the checkpoint and renames.

    Lightning writes into the system's temporary folder and moves: between file systems that is a copy, and
    a process that is killed in the middle of it leaves half a checkpoint.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Save plain values and tensors; what could not be loaded again is refused (ConfigError)."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()  # where a disk is full, torch.save has no word for it
        torch.save(checkpoint, buffer)
        refuse_unloadable(buffer)
        with replacing(Path(path)) as file:
            file.write(buffer.getbuffer())


def refuse_unloadable(buffer: io.BytesIO) -> None:
    """Load a checkpoint as it will be loaded, without its tensors: now, not when all epochs are trained."""
    buffer.seek(0)
    try:
        torch.load(buffer, weights_only=True, map_location="meta")
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        raise ConfigError(
            f"a checkpoint of this run would hold a {named[1] if named else 'thing'} and could not be loaded "
            f"again. Needed: tensors, numbers, texts, lists, dicts in what on_save_checkpoint and state_dict "
            f"of the module and the callbacks give"
        ) from error
