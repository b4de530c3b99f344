"""A short search with Optuna, and its trials."""

from pathlib import Path

import optuna
from optuna.trial import FrozenTrial

from commands import SHORT, Command

LR = "lr=tag(log,interval(1e-4,1))"
TINY = [*SHORT, "trainer.max_epochs=1", "logger=none", "callbacks=none", "model.hidden_sizes=[8]"]


def trials(directory: Path) -> list[FrozenTrial]:
    """Return the trials of the only study in the folder."""
    return optuna.load_study(study_name=None, storage=f"sqlite:///{directory}/optuna.db").get_trials()


def studied(command: Command, tmp_path: Path, *arguments: str, name: str = "s") -> list[FrozenTrial]:
    """Run a search, and return its trials."""
    command("train.py", *TINY, *arguments, f"task_name={name}")
    return trials(tmp_path / "outputs" / "sweeps" / name)
