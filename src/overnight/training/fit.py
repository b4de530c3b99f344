"""Training: a checked configuration in; history, best and last out."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
import lightning as L
from hydra.errors import InstantiationException

from overnight.config.errors import ConfigError
from overnight.records.metric import counterpart
from overnight.training import speed  # noqa: F401 - applies what has to stand before the first step
from overnight.training.checkpoints import (
    BEST,
    LAST,
    AtomicCheckpointIO,
    BestCheckpoint,
    read_checkpoint,
    unlogged,
)
from overnight.training.history import OWN, DivergedError, History, Row, draw_row
from overnight.training.hyperparameters import flat_hyperparameters, log_hyperparameters
from overnight.training.measure import build_measuring_trainer, measure, measure_validation
from overnight.training.results import Measured, facts, results

Config = dict[str, Any]


def train(
    config: Config, directory: Path, choices: Config, typed: Sequence[str], checkpoint: str | None
) -> Config:
    """Build everything, fit, and measure the best and the last weights; return what a record says of it.

    Args:
        config: checked and resolved.
        directory: the run's; all that is written goes there.
        choices: group -> option.
        typed: the overrides.
        checkpoint: go on from this one.
    """
    L.seed_everything(config["seed"], verbose=False)
    task, data = build(config)
    earlier = read_checkpoint(checkpoint)["history"] if checkpoint else []  # refused before data is read
    load_weights(task, config["init_from"])
    history = History(config)
    trainer, measuring = build_trainer(config, directory, history), build_measuring_trainer(config)
    start = time.perf_counter()
    outcome = fit(trainer, measuring, task, data, history, checkpoint)
    seconds = sum(row["seconds"] or 0.0 for row in earlier) + time.perf_counter() - start
    saved = saved_checkpoints(trainer, config)
    measured = {path: measure_checkpoint(measuring, task, data, directory / path) for path in saved.values()}
    trained = results(config, history.rows, saved, measured, best_score(trainer))
    trained |= facts(task, data, history.rows, seconds) | {"trained": "ordinary"}
    tell_loggers(trainer, config, choices, typed, trained)
    return outcome | trained


def build(config: Config) -> tuple[L.LightningModule, L.LightningDataModule]:
    """Build the module and the data module; nothing is read yet."""
    return instantiated(config["task"]), instantiated(config["data"])


def instantiated(node: Config, **arguments: Any) -> Any:
    """Build what a node describes; an error in it is raised as itself, without Hydra's words around it."""
    try:
        return hydra.utils.instantiate(node, **arguments, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, ConfigError):
            raise cause from error
        raise ConfigError(f"{node.get('_target_')}: {cause or error}") from error


def load_weights(task: L.LightningModule, path: str | None) -> None:
    """Begin with the weights of another run's checkpoint, if there is a path.

    Raises:
        ConfigError: they are of another network.
    """
    if not path:
        return
    try:
        task.load_state_dict(read_checkpoint(path, key="init_from")["state_dict"])
    except RuntimeError as error:
        raise ConfigError(f"init_from={path}: {' '.join(str(error).split())}") from error


def build_trainer(config: Config, directory: Path, history: History) -> L.Trainer:
    """Build the trainer with its callbacks and loggers; whatever it saves goes into the run's directory."""
    try:
        trainer: L.Trainer = hydra.utils.instantiate(
            config["trainer"],
            default_root_dir=str(directory),
            plugins=[AtomicCheckpointIO()],
            callbacks=[history, *build_parts(config["callbacks"])],
            logger=build_parts(config["logger"]),
            _convert_="all",
        )
    except InstantiationException as error:
        raise ConfigError(
            f"trainer: {error.__cause__}. Needed: what this machine has. Type for example: trainer=default"
        ) from error
    return trainer


def build_parts(config: Config) -> list[Any]:
    """Build every part that a section describes: the callbacks, or the loggers. One that is null is off."""
    return [instantiated(part) for part in config.values() if part]


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
            history.add(measure_validation(measuring, task, data), epoch=0)
            refuse_unlogged(history.config["metric"], history.rows[0])
            draw_row(history.rows[0], trainer.loggers, already=set())
        trainer.fit(task, datamodule=data, ckpt_path=checkpoint)
    except DivergedError as error:
        return {"status": "diverged", "error": describe_error(error)}
    except SystemExit as end:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from end
    return {"status": "completed"}


def refuse_unlogged(metric: str | None, row: Row) -> None:
    """Refuse a metric that validation does not log; what training will log is not known yet.

    Raises:
        ConfigError: names what is logged.
    """
    if metric and metric not in row and "train" not in metric.lower() and row.keys() - {*OWN}:
        raise ConfigError(unlogged(metric, row))


def saved_checkpoints(trainer: L.Trainer, config: Config) -> dict[str, Path]:
    """Return the files, relative to the run's directory, of the best and the last weights that were saved."""
    root = Path(trainer.default_root_dir)
    callbacks = trainer.checkpoint_callbacks
    paths = {"last": root / LAST, "best": root / BEST}
    for callback in callbacks:
        if isinstance(callback, BestCheckpoint) and callback.best_model_path:
            paths["best"] = Path(callback.best_model_path)
    if config["metric"] is None:
        del paths["best"]
    return {name: path.relative_to(root) for name, path in paths.items() if path.is_file()}


def best_score(trainer: L.Trainer) -> float | None:
    """Return what the checkpoint callback saw of the metric when it saved the best."""
    scores = [c.best_model_score for c in trainer.checkpoint_callbacks if isinstance(c, BestCheckpoint)]
    return next((float(score) for score in scores if score is not None), None)


def measure_checkpoint(
    trainer: L.Trainer, task: L.LightningModule, data: L.LightningDataModule, path: Path
) -> Measured:
    """Load the weights and measure them on every split, in eval mode."""
    saved = read_checkpoint(path)
    task.on_load_checkpoint(saved)
    task.load_state_dict(saved["state_dict"])
    return Measured(int(saved["history"][-1]["epoch"]), measure(trainer, task, data))


def tell_loggers(
    trainer: L.Trainer, config: Config, choices: Config, typed: Sequence[str], trained: Config
) -> None:
    """Give the loggers hyperparameters and results."""
    metric, best = config["metric"], trained["best"] or trained["last"]
    names = [metric, counterpart(metric, "test")] if metric else []
    log_hyperparameters(trainer.loggers, flat_hyperparameters(config, choices, typed), best, names)


def describe_error(error: BaseException) -> dict[str, str]:
    """Return type and message; of what Hydra wraps, the cause."""
    cause = error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error
    return {"type": type(cause).__name__, "message": str(cause) or type(cause).__name__}
