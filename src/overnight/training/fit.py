"""Training: a checked configuration in; history, best and last out."""

import signal
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import lightning as L
from hydra.errors import InstantiationException
from lightning.pytorch.utilities.exceptions import SIGTERMException
from lightning.pytorch.utilities.model_helpers import is_overridden

from overnight.config.errors import ConfigError
from overnight.config.explanations import explain
from overnight.data.in_memory import InMemoryData
from overnight.records.identity import is_of_project
from overnight.records.metric import OWN, split_and_name
from overnight.records.record import BEST, LAST
from overnight.training import speed  # noqa: F401 - applies what has to stand before the first step
from overnight.training.checkpoints import BestCheckpoint, LastCheckpoint, read_checkpoint, unlogged
from overnight.training.history import History
from overnight.training.loggers import close_loggers, open_loggers, tell_loggers
from overnight.training.measure import build_measuring_trainer, measure_saved, measure_split
from overnight.training.parts import build, build_trainer, informed, load_weights
from overnight.training.results import facts, results
from overnight.training.rows import DivergedError, Row, draw_row

Config = dict[str, Any]


def train(
    config: Config, directory: Path, choices: Config, typed: Sequence[str], checkpoint: str | None
) -> Config:
    """Build everything, fit, and measure the best and the last weights; return what a record says of it.

    The configuration is checked and resolved; all that is written goes into ``directory``. ``choices`` has
    the option of each group and ``typed`` the overrides, for loggers; ``checkpoint`` is one to go on from.
    """
    L.seed_everything(config["seed"], verbose=False)
    task, data = build(config)
    earlier = read_checkpoint(checkpoint)["history"] if checkpoint else []  # refused before data is read
    load_weights(task, config["init_from"])
    history = History(informed(config, data))
    trainer = build_trainer(config, directory, history)
    measuring = build_measuring_trainer(config, default_root_dir=str(directory))
    start = time.perf_counter()
    try:
        outcome = fit(trainer, measuring, task, data, history, checkpoint)
        seconds = sum(row["seconds"] or 0.0 for row in earlier) + time.perf_counter() - start
        saved = saved_checkpoints(trainer, config)
        found, doubt = measure_saved(
            measuring, task, data, history.config, [directory / path for path in saved.values()]
        )
        measured = {path: found[directory / path] for path in saved.values()}
        trained = results(config, history.rows, saved, measured, best_score(trainer))
        trained |= {"checked": doubt} if doubt and trained["checked"] is True else {}
        trained |= facts(task, data, seconds, trained_samples(trainer, data))
        trained |= {"device": str(trainer.strategy.root_device)}
        tell_loggers(trainer.loggers, config, choices, typed, trained)
    finally:
        if trainer.state.fn:  # they have been opened
            close_loggers(trainer.loggers)
    return outcome | trained


def fit(
    trainer: L.Trainer,
    measuring: L.Trainer,
    task: L.LightningModule,
    data: L.LightningDataModule,
    history: History,
    checkpoint: str | None,
) -> Config:
    """Measure the untrained module as epoch 0, then train; or go on from a checkpoint. Say how it ended."""
    try:
        if not checkpoint:
            history.add(measure_split(measuring, task, data), epoch=0)
            refuse_unlogged(history.config["metric"], history.rows[0], trainer.callbacks)  # type: ignore[attr-defined]
            draw_row(history.rows[0], trainer.loggers, already=set())
        open_loggers(trainer.loggers, read_checkpoint(checkpoint) if checkpoint else None)
        trainer.fit(task, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except DivergedError as error:
        return {"status": "diverged", "error": describe_error(error)}
    except SystemExit as end:
        if isinstance(end.__context__, KeyboardInterrupt):  # to which this is Lightning's answer
            raise KeyboardInterrupt from end
        if of_signal(end):
            raise
        raise RuntimeError(f"the run ended its process: {end}") from end
    return {"status": status_of(trainer)}


def of_signal(end: SystemExit) -> bool:
    """Tell whether a signal ends the process: its handler, as submitit's, or Lightning after SIGTERM."""
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    codes = {getattr(handler, "__code__", None) for handler in handlers}
    handled = any(frame.f_code in codes for frame, _ in traceback.walk_tb(end.__traceback__))
    return handled or isinstance(end, SIGTERMException)


def status_of(trainer: L.Trainer) -> str:
    """Return how a fit ended that no error has ended."""
    pruned = any(getattr(callback, "pruned", False) for callback in trainer.checkpoint_callbacks)
    return "pruned" if pruned else "completed"


IN_VALIDATION = ("on_validation_epoch_start", "on_validation_batch_end", "on_validation_epoch_end")
"""Hooks in which a callback may log."""


def refuse_unlogged(metric: str | None, row: Row, callbacks: Iterable[L.Callback] = ()) -> None:
    """Refuse a metric of validation that validation does not log (ConfigError).

    What training and callbacks will log is known after the first epoch only; ``BestCheckpoint`` asks then.
    """
    may_log = any(is_overridden(hook, each, L.Callback) for each in callbacks for hook in IN_VALIDATION)
    known = row.keys() - {*OWN} and not may_log
    if metric and metric not in row and split_and_name(metric)[0] == "val" and known:
        raise ConfigError(unlogged(metric, row))


def saved_checkpoints(
    trainer: L.Trainer, config: Config, exists: Callable[[Path], bool] = Path.is_file
) -> dict[str, Path]:
    """Return the files of the best and the last weights that were saved; relative to the run's directory."""
    root = Path(trainer.default_root_dir).resolve()  # as Lightning has the folders of its checkpoints
    paths = {"last": root / LAST, "best": root / BEST}
    for callback in trainer.checkpoint_callbacks:
        if isinstance(callback, LastCheckpoint) and callback.best_model_path:
            name = "best" if isinstance(callback, BestCheckpoint) else "last"
            paths[name] = Path(callback.best_model_path)
    if config["metric"] is None:
        del paths["best"]
    saved = {name: path for name, path in paths.items() if exists(path)}
    return {
        name: path.relative_to(root) if path.is_relative_to(root) else path for name, path in saved.items()
    }


def best_score(trainer: L.Trainer) -> float | None:
    """Return what the checkpoint callback saw of the metric when it saved the best."""
    scores = [c.best_model_score for c in trainer.checkpoint_callbacks if isinstance(c, BestCheckpoint)]
    return next((float(score) for score in scores if score is not None), None)


def trained_samples(trainer: L.Trainer, data: L.LightningDataModule) -> int | None:
    """Return how many samples the fit has trained on; None if the data does not tell its sizes."""
    if not isinstance(data, InMemoryData):
        return None
    whole, each = len(data.split.train), data.batch_size
    epochs, steps = divmod(trainer.fit_loop.total_batch_idx + 1, max(1, int(trainer.num_training_batches)))
    return epochs * min(whole, int(trainer.num_training_batches) * each) + steps * each


def describe_error(error: BaseException) -> dict[str, str]:
    """Return type, message and place; of what Hydra wraps, the cause; of the system's errors, the remedy."""
    cause = error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error
    told = explain(cause) if isinstance(cause, OSError) else str(cause)
    return {"type": type(cause).__name__, "message": told or type(cause).__name__} | place_of(cause)


def place_of(error: BaseException) -> dict[str, str]:
    """Return, under ``place``, the line of the project that an error comes from that nobody has foreseen."""
    if isinstance(error, ConfigError | OSError | DivergedError):
        return {}
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_of_project(Path(frame.filename))]
    return {"place": f"{Path(own[-1].filename).name}, line {own[-1].lineno}"} if own else {}
