"""Runs of a sweep that are stopped because others were better after as many epochs."""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
from lightning.pytorch.callbacks import Checkpoint

from overnight.records import sweep_state
from overnight.records.atomic import replacing
from overnight.training.history import History
from overnight.training.rows import Row

REPORTS = "reports.jsonl"


class Reports(NamedTuple):
    """What a run has reported."""

    begun: float  # when it did so first, in seconds since the epoch (of the calendar)
    pruned: bool  # whether it was stopped for that
    values: dict[int, float]  # epoch -> metric


class Pruning(Checkpoint):
    """Reports the metric after each epoch, and asks a pruner of Optuna whether to go on.

    Processes share nothing but files: each run writes its own reports, and reads those of the others in the
    folder of its sweep. A run by itself is never stopped. Lightning calls callbacks of this base class last,
    in their order, when the epoch has been saved. ``pruner`` is one of ``optuna.pruners``.
    """

    def __init__(self, pruner: Any, monitor: str, mode: str) -> None:
        self.pruner, self.monitor, self.mode = pruner, monitor, mode
        self.pruned = False

    def report(self, rows: Iterable[Row], directory: Path, most: int) -> bool:
        """Write what the run has reached by now; tell whether it is to stop before its ``most`` epochs."""
        values = {int(row["epoch"] or 0): row.get(self.monitor) for row in rows}
        own = {epoch: value for epoch, value in values.items() if epoch and value is not None}
        if own and max(own) < most and sweep_state.read(directory.parent):
            files = (path for path in directory.parent.glob(f"*/{REPORTS}") if path.parent != directory)
            self.pruned = self._would_prune([run for run in map(read_reports, files) if run.values], own)
        begun = read_reports(directory / REPORTS).begun or time.time()
        write_reports(Reports(begun, self.pruned, own), directory / REPORTS)
        return self.pruned

    def _would_prune(self, others: Iterable[Reports], own: dict[int, float]) -> bool:
        """Let Optuna see all runs up to this epoch, in the order in which they began, and this one last."""
        import optuna  # noqa: PLC0415 - a second, for those who prune

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        now = max(own)
        study = optuna.create_study(
            direction="minimize" if self.mode == "min" else "maximize", pruner=self.pruner, study_name="sweep"
        )
        for run in sorted(others):
            trial = study.ask()
            tell(trial, {epoch: value for epoch, value in run.values.items() if epoch <= now})
            if now in run.values and not run.pruned:
                study.tell(trial, run.values[now])
        return tell(study.ask(), own)

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Forget what an earlier run in this folder has reported."""
        if not trainer.ckpt_path:
            (Path(trainer.default_root_dir) / REPORTS).unlink(missing_ok=True)

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Report the epoch, and end the fit if others were better."""
        (history,) = (each for each in trainer.checkpoint_callbacks if isinstance(each, History))
        trainer.should_stop |= self.report(
            history.rows, Path(trainer.default_root_dir), trainer.max_epochs or 0
        )


def tell(trial: Any, values: dict[int, float]) -> bool:
    """Report value after value to a trial, and ask each time: pruners note that. Return the last answer."""
    prune = False
    for epoch, value in sorted(values.items()):
        trial.report(value, epoch)
        prune = bool(trial.should_prune())
    return prune


def write_reports(reports: Reports, path: Path) -> None:
    """Write them whole: a first line, and one for each epoch."""
    lines = [{"begun": reports.begun, "pruned": reports.pruned}]
    epochs = [{"epoch": epoch, "value": value} for epoch, value in sorted(reports.values.items())]
    with replacing(path) as file:
        file.write("".join(f"{json.dumps(line)}\n" for line in [*lines, *epochs]).encode())


def read_reports(path: Path) -> Reports:
    """Return the reports of a run; a file that is damaged holds none."""
    try:
        first, *lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
        values = {int(line["epoch"]): float(line["value"]) for line in lines}
        return Reports(float(first["begun"]), bool(first["pruned"]), values)
    except (OSError, ValueError, KeyError, TypeError):
        return Reports(0.0, pruned=False, values={})
