"""Checkpoints: written after an epoch and with its row of the history, and read without running anything."""

import math
import shutil
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint

from overnight.config.errors import ConfigError
from overnight.records.atomic import replacing
from overnight.records.metric import OWN, is_of_test, split_and_name
from overnight.records.record import BEST
from overnight.training.history import History
from overnight.training.trust import trusted


@contextmanager
def without_warning(message: str) -> Iterator[None]:
    """Mute the warning that begins with this, a regular expression."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=message)
        yield


class LastCheckpoint(ModelCheckpoint):
    """Lightning's ModelCheckpoint after every epoch, whose memory survives a move of the run's folder."""

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Start in a folder with checkpoints without a warning: what is there is this run's own."""
        with without_warning("Checkpoint directory .* exists and is not empty"):
            super().setup(trainer, pl_module, stage)

    def on_load_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Note where the checkpoint lies; Lightning hands over this callback's own part of it next."""
        self._source = Path(str(trainer.ckpt_path)).parent

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Read the old folder's paths as the new one's; Lightning would forget the best score.

        A run that goes on in another folder gets the best so far; if that is nowhere, it is forgotten.
        """
        here = Path(str(self.dirpath))
        name = Path(state_dict["best_model_path"]).name
        if name and not (here / name).is_file():
            if not (self._source / name).is_file():
                return
            here.mkdir(parents=True, exist_ok=True)
            with replacing(here / name) as file, (self._source / name).open("rb") as source:
                shutil.copyfileobj(source, file)

        def moved(path: str) -> str:
            return str(here / Path(path).name) if path else path

        paths = ("best_model_path", "kth_best_model_path", "last_model_path")
        best = {moved(path): score for path, score in state_dict["best_k_models"].items()}
        rebased = {key: moved(state_dict[key]) for key in paths}
        super().load_state_dict(state_dict | rebased | {"best_k_models": best, "dirpath": self.dirpath})


class BestCheckpoint(LastCheckpoint):
    """The same after every epoch in which the monitored metric was measured; without a metric, never.

    Lightning's own saves in the middle of an epoch where validation happens there, and takes the metric of
    an earlier epoch for this one's where validation happens seldom.
    """

    def __init__(self, monitor: str | None, mode: str | None, **settings: Any) -> None:
        super().__init__(monitor=monitor, mode=mode or "min", **settings)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save if this epoch is the best so far; refuse a metric that nobody logs (ConfigError)."""
        if self.monitor is None:
            return
        history = next(c for c in trainer.callbacks if isinstance(c, History))  # type: ignore[attr-defined]
        value = history.rows[-1].get(self.monitor)
        if value is not None and math.isfinite(value):
            super().on_train_epoch_end(trainer, pl_module)
        complete = history.validated or not trainer.enable_validation
        if complete and not any(self.monitor in row for row in history.rows):
            raise ConfigError(unlogged(self.monitor, history.rows[-1]))


def unlogged(metric: str, logged: dict[str, Any]) -> str:
    """Say that the metric that is to choose the best is not logged, and what may: validation first."""
    names = sorted(name for name in logged if name not in OWN and not is_of_test(name))
    names.sort(key=lambda name: split_and_name(name)[0] != "val")
    return (
        f"metric={metric}: the task does not log it. "
        f"Needed: one of {', '.join(names) or '(it logs nothing)'}. "
        f"Type for example: metric={next(iter(names), 'null')}"
    )


def read_checkpoint(path: str | Path, key: str = "ckpt_path") -> dict[str, Any]:
    """Load a checkpoint of a run, without running any code in it; ``key`` names the path in messages.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a checkpoint of a run, or is damaged.
    """
    if not Path(path).is_file():
        found = next(Path(path).glob(str(BEST)), f"outputs/runs/TIME/{BEST}")
        raise FileNotFoundError(
            f"{key}={path}: there is no such file. Needed: a checkpoint of a run. "
            f"Type for example: {key}={found}"
        )
    remedy = "Needed: a checkpoint that train.py wrote; if this was one, it is damaged: train again"
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch.load has no error of its own: zip, pickle, EOF, ...
        raise ValueError(f"{key}={path} cannot be read ({type(error).__name__}). {remedy}") from error
    if not isinstance(checkpoint, dict) or not {"config", "history", "state_dict"} <= checkpoint.keys():
        raise ValueError(f"{key}={path} is a file of something else. {remedy}")
    return checkpoint


def load_task(
    path: str | Path, map_location: str | torch.device = "cpu", trust: Iterable[str] = ()
) -> L.LightningModule:
    """Build the module from the configuration in a checkpoint, and load its weights.

    ``trust`` names packages of which it may build modules; see ``overnight.training.trust``.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: the file is not a checkpoint of a run, or is damaged, or would build what it may not.
    """
    checkpoint = read_checkpoint(path)
    node = trusted(checkpoint["config"], trust)["task"]
    task: L.LightningModule = hydra.utils.instantiate(node, _convert_="all")
    task.configure_model()
    task.on_load_checkpoint(checkpoint)
    task.load_state_dict(checkpoint["state_dict"], strict=task.strict_loading)
    return task.to(map_location)
