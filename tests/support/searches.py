"""A short search with Optuna, and its trials; or one whose runs return the values of a parabola."""

from pathlib import Path
from typing import Any

import optuna
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf
from optuna.trial import FrozenTrial

from commands import SHORT, Command
from overnight.search.search import search
from overnight.search.trials import Settings

LR = "lr=tag(log,interval(1e-4,1))"
TINY = [*SHORT, "trainer.max_epochs=1", "logger=none", "callbacks=none", "model.hidden_sizes=[8]"]


def trials(directory: Path) -> list[FrozenTrial]:
    """Return the trials of the only study in the folder."""
    return optuna.load_study(study_name=None, storage=f"sqlite:///{directory}/optuna.db").get_trials()


def studied(command: Command, tmp_path: Path, *arguments: str, name: str = "s") -> list[FrozenTrial]:
    """Run a search, and return its trials."""
    command("train.py", *TINY, *arguments, f"task_name={name}")
    return trials(tmp_path / "outputs" / "sweeps" / name)


def settings(directory: Path, **changed: Any) -> Settings:
    """Return settings of a study of 20 trials, in which three run side by side."""
    defaults: dict[str, Any] = {
        "sampler": OmegaConf.create(
            {"_target_": "optuna.samplers.TPESampler", "seed": 0, "n_startup_trials": 5}
        ),
        "direction": None,
        "storage": f"sqlite:///{directory}/optuna.db",
        "study_name": None,
        "n_trials": 20,
        "n_jobs": 3,
        "metric": "val/acc",
        "mode": "max",
    }
    return Settings(**defaults | changed)


class Interrupt(BaseException):
    """Something that ends the process."""


class Parabola:
    """A launcher whose runs return numbers and leave no record; it can be interrupted after some runs."""

    def __init__(self, runs: int = 1000) -> None:
        self.left = runs
        self.launched: list[list[str]] = []

    def __call__(self, batch: Any, first: int) -> list[JobReturn]:
        return [self.run(typed) for typed in batch]

    def run(self, typed: list[str]) -> JobReturn:
        if not self.left:
            raise Interrupt
        self.left -= 1
        self.launched.append(typed)
        x = float(typed[-1].partition("=")[2])
        return JobReturn(overrides=typed, status=JobStatus.COMPLETED, _return_value=-((x - 0.3) ** 2))


IGNORED = (lambda jobs: None, lambda total: None)
"""A parabola takes every trial, and nobody counts them."""


def minimum(directory: Path, launch: Parabola, **changed: Any) -> list[FrozenTrial]:
    """Search for the minimum of the parabola."""
    search(settings(directory, **changed), ["a=1", "x=interval(0,1)"], directory, *IGNORED, launch)
    return trials(directory)


def sampler(target: str, **arguments: Any) -> Any:
    """Return a sampler's section."""
    return OmegaConf.create({"_target_": f"optuna.samplers.{target}", "seed": 0} | arguments)
