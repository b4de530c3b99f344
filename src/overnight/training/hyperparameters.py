"""What a logger is told of a run: its flat hyperparameters, and what its best weights reach."""

from collections.abc import Iterable
from typing import Any

from lightning.pytorch.loggers import Logger

Config = dict[str, Any]


def flat_hyperparameters(config: Config, choices: Config, overrides: Iterable[str]) -> Config:
    """Return the chosen options, the plain values at the top of the configuration, and what was typed.

    The keys are the same throughout a sweep, as TensorBoard's HPARAMS tab needs it.
    """
    plain = {
        key: value for key, value in config.items() if isinstance(value, int | float) and key not in choices
    }
    typed = {override.lstrip("+~").partition("=")[0] for override in overrides}
    nested = {key: value for key in sorted(typed) if "." in key and (value := leaf(config, key)) is not None}
    return {group: str(option) for group, option in choices.items()} | plain | nested


def leaf(config: Config, dotted: str) -> Any:
    """Return the value under a dotted key as a number or a text; None where there is none."""
    value: Any = config
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value if value is None or isinstance(value, int | float) else str(value)


def log_hyperparameters(loggers: Iterable[Logger], flat: Config, best: Config, names: Iterable[str]) -> None:
    """Give every logger the run's hyperparameters and its final metrics of these names."""
    final = {f"hp/{name.replace('/', '_')}": best[name] for name in names if best.get(name) is not None}
    for logger in loggers:
        logger.log_hyperparams(flat | final)
        logger.save()
