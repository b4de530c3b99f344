"""Callbacks and loggers as others write them."""

import os
import signal
from pathlib import Path
from typing import Any, ClassVar

import lightning as L
import numpy as np
from lightning.pytorch.loggers import CSVLogger


class Once(L.Callback):
    """Ends the process in the middle of the second epoch, but not if the marker is there.

    It is killed, or gets a Ctrl-C.
    """

    def __init__(self, marker: str, *, kill: bool) -> None:
        self.marker, self.kill = Path(marker), kill

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if (trainer.current_epoch, batch_idx) == (1, 1) and not self.marker.exists():
            self.marker.touch()
            if self.kill:
                os.kill(os.getpid(), signal.SIGKILL)
            raise KeyboardInterrupt


class NumPyState(L.Callback):
    """Keeps what no checkpoint of plain values can hold."""

    def state_dict(self) -> dict[str, Any]:
        return {"mine": np.float64(1.0)}


class OneAtATime(CSVLogger):
    """Has one run open for the whole process until it is finished, as Weights & Biases has."""

    running: ClassVar[list[str]] = []

    @property
    def experiment(self) -> Any:
        if self.log_dir not in self.running:
            assert not self.running, "the last run was not finished"
            self.running.append(self.log_dir)
        experiment: Any = super().experiment
        experiment.finish = lambda: self.running.remove(self.log_dir)
        return experiment
