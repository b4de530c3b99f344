"""What goes wrong in the tests: ``+callbacks.fault={_target_:faults.Kill,seed:2}``."""

import os
import signal
from pathlib import Path

import lightning as L

from overnight.training.history import History


class Fault(L.Callback):
    """Strikes the run with this seed at the start of its second epoch."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        seed = next(c.config["seed"] for c in trainer.callbacks if isinstance(c, History))  # type: ignore[attr-defined]
        if trainer.current_epoch == 1 and seed == self.seed:
            self.strike(trainer)

    def strike(self, trainer: L.Trainer) -> None:
        """Do harm."""


class Kill(Fault):
    """Kills the process, as the kernel does when there is no memory left."""

    def strike(self, trainer: L.Trainer) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Raise(Fault):
    """Raises an error that another attempt might not meet."""

    def strike(self, trainer: L.Trainer) -> None:
        raise RuntimeError("the disk is on fire")


class Diverge(Fault):
    """Gives the run an absurd learning rate."""

    def strike(self, trainer: L.Trainer) -> None:
        trainer.optimizers[0].param_groups[0]["lr"] = 1e10


class KillOnce(Kill):
    """Kills the process, but not a second time."""

    def __init__(self, seed: int, marker: str) -> None:
        super().__init__(seed)
        self.marker = Path(marker)

    def strike(self, trainer: L.Trainer) -> None:
        if not self.marker.exists():
            self.marker.touch()
            super().strike(trainer)


class RaiseOnce(KillOnce, Raise):
    """Raises an error, but not a second time."""

    def strike(self, trainer: L.Trainer) -> None:
        if not self.marker.exists():
            self.marker.touch()
            Raise.strike(self, trainer)
