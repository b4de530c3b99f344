"""Checkpoints that are written whole or not at all, and the one that a killed run goes on from."""

import io
import logging
import warnings
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from fcnlab import ledger
from fcnlab.atomic import replacing

log = logging.getLogger(__name__)

BEST, LAST = Path("checkpoints", "best.ckpt"), Path("checkpoints", "last.ckpt")


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the checkpoint and renames.

    Lightning writes into the system's temporary folder and moves: between file systems that is a copy, and
    a process that is killed in the middle of it leaves half a checkpoint.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any | None = None
    ) -> None:
        """Save a dict of plain values and tensors."""
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()  # where a disk is full, torch.save has no word for it
        torch.save(checkpoint, buffer)
        with replacing(Path(path)) as file:
            file.write(buffer.getbuffer())


class MovableCheckpoint(ModelCheckpoint):
    """Lightning's ModelCheckpoint, whose memory of the best survives a move of the run's folder."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Start in a folder with checkpoints without a warning: what is there is this run's own."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Checkpoint directory .* exists and is not empty")
            super().setup(trainer, pl_module, stage)

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Read the old folder's paths as the new one's; Lightning would forget the best score."""
        here = Path(str(self.dirpath))

        def moved(path: str) -> str:
            return str(here / Path(path).name) if path else path

        paths = ("best_model_path", "kth_best_model_path", "last_model_path")
        best = {moved(path): score for path, score in state_dict["best_k_models"].items()}
        rebased = {key: moved(state_dict[key]) for key in paths}
        super().load_state_dict(state_dict | rebased | {"best_k_models": best, "dirpath": self.dirpath})


def to_go_on_from(directory: Path, fingerprint: str) -> str | None:
    """Return the checkpoint of the run that was interrupted in this directory, None where it left none.

    Raises:
        ValueError: the checkpoint is damaged, or of a run with another configuration.
    """
    path = directory / LAST
    if not path.is_file():
        log.warning("ckpt_path=last: there is no %s; the run starts from the beginning", path)
        return None
    if ledger.fingerprint(read_checkpoint(path)["config"]) != fingerprint:
        raise ValueError(
            f"ckpt_path=last: {path} is of a run with another configuration. Needed: the very command of the "
            f"interrupted run and ckpt_path=last. To go on with other settings, type: ckpt_path={path} "
            f"task_name=ANOTHER"
        )
    return str(path)


def read_checkpoint(path: str | Path, map_location: str | torch.device = "cpu") -> dict[str, Any]:
    """Load a checkpoint of fcnlab, without running any code in it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a checkpoint of fcnlab, or is damaged.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(
            f"ckpt_path={path}: there is no such file. Needed: a checkpoint of a run. "
            f"Type for example: ckpt_path=outputs/runs/TIME/checkpoints/best.ckpt"
        )
    remedy = "Needed: a checkpoint that train.py wrote; if this was one, it is damaged: train again"
    try:
        checkpoint = torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:  # torch.load has no error of its own: zip, pickle, EOF, ...
        raise ValueError(f"ckpt_path={path} cannot be read ({type(error).__name__}). {remedy}") from error
    if not isinstance(checkpoint, dict) or not {"config", "history", "state_dict"} <= checkpoint.keys():
        raise ValueError(f"ckpt_path={path} is a file of something else. {remedy}")
    return checkpoint
