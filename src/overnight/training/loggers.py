"""The loggers of a run: opened as Lightning opens them, told how the run ended, and closed."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import CSVLogger, Logger

from overnight.config.schema import at
from overnight.records.metric import counterpart
from overnight.training.checkpoints import without_warning
from overnight.training.rows import draw_row

Config = dict[str, Any]


def open_loggers(loggers: Iterable[Logger], checkpoint: Config | None) -> None:
    """Open them as Lightning will, but without its warning where an interrupted run has left a file.

    It is this run's own. Lightning's CSVLogger removes it; so what it says of the time before the checkpoint
    is logged again, or in another folder the history.
    """
    for logger in loggers:
        path = Path(str(logger.log_dir), "metrics.csv") if isinstance(logger, CSVLogger) else None
        text = path.read_text() if checkpoint and path and path.is_file() else ""
        with without_warning("Experiment logs directory .* exists and is not empty"):
            getattr(logger, "experiment", None)
        for epoch in checkpoint["history"] if checkpoint and path and not text else ():
            draw_row(epoch, [logger], already=set())
        for row in csv.DictReader(text.splitlines()):
            values = {key: float(value) for key, value in row.items() if value}
            step = int(values.pop("step"))
            if checkpoint and was_drawn_before(checkpoint, values, step):
                logger.log_metrics(values, step)
        logger.save()


def was_drawn_before(checkpoint: Config, values: Config, step: int) -> bool:
    """Tell whether metrics were logged before a checkpoint: its history, which has lr, or steps."""
    *_, last = checkpoint["history"]
    if "epoch" in values:
        return bool(values["epoch"] < last["epoch"])
    return bool(step <= last["epoch"] if "lr" in values else step < checkpoint["global_step"])


def tell_loggers(
    loggers: Iterable[Logger], config: Config, choices: Config, typed: Sequence[str], trained: Config
) -> None:
    """Give every logger the hyperparameters, and the metric of the best weights on validation and test."""
    metric, best = config["metric"], trained["best"] or trained["last"]
    names = [metric, counterpart(metric, "test")] if metric else []
    final = {f"hp/{name.replace('/', '_')}": best[name] for name in names if best.get(name) is not None}
    for logger in loggers:
        logger.log_hyperparams(flat_hyperparameters(config, choices, typed) | final)
        logger.save()


def flat_hyperparameters(config: Config, choices: Config, typed: Sequence[str]) -> Config:
    """Return the chosen options, the plain values at the top of the configuration, and what was typed.

    The keys are the same throughout a sweep, as TensorBoard's HPARAMS tab needs it.
    """
    flat: Config = {group: str(option) for group, option in choices.items()}
    flat |= {key: v for key, v in config.items() if isinstance(v, int | float) and key not in choices}
    keys = {override.lstrip("+~").partition("=")[0] for override in typed}
    nested = {key: value for key in sorted(keys) if "." in key and (value := at(config, key)) is not None}
    return flat | {key: v if isinstance(v, int | float) else str(v) for key, v in nested.items()}


def close_loggers(loggers: Iterable[Logger]) -> None:
    """End the run of a logger that has one for the whole process, as WandbLogger does.

    Otherwise the next run of a sweep would be logged into it.
    """
    for logger in loggers:
        if finish := getattr(getattr(logger, "experiment", None), "finish", None):
            finish()
