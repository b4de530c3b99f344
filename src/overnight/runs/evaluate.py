"""A checkpoint measured again, with nothing but the checkpoint to go by."""

import logging
import shlex
from pathlib import Path
from typing import Any

import lightning as L
from omegaconf import DictConfig

from overnight.config import folders
from overnight.config.errors import ConfigError, one_of
from overnight.config.packages import built_again
from overnight.config.resolvers import from_where_typed
from overnight.data.in_memory import InMemoryData
from overnight.records.identity import sources
from overnight.records.metric import SPLITS, counterpart, split_and_name
from overnight.records.record import edited
from overnight.records.sampling import half_interval, written
from overnight.runs.origin import DATA_PATHS
from overnight.runs.predictions import predict, refuse_strangers, write_predictions
from overnight.training.checkpoints import read_checkpoint
from overnight.training.measure import build_measuring_trainer, measure
from overnight.training.parts import build_data, build_task, instantiated
from overnight.training.trust import trusted

log = logging.getLogger(__name__)

Config = dict[str, Any]


def evaluate(cfg: DictConfig) -> dict[str, float | None]:
    """Print and return every metric on every split; write the test predictions if a path is given.

    The table stands under the path: with ``-m`` there are several.

    Raises:
        ConfigError: there is a key that is not read.
        FileNotFoundError: there is no such checkpoint.
        ValueError: the file is no checkpoint of a run, or would build what it may not.
    """
    refuse_unknown(cfg)
    if not isinstance(cfg.predictions, str | None):
        raise ConfigError(
            f"predictions={cfg.predictions}: needed: a file. Type for example: predictions=mine.csv"
        )
    path = Path(from_where_typed(cfg.predictions)) if cfg.predictions else None
    if path:
        refuse_strangers(path)
    checkpoint = from_where_typed(cfg.ckpt_path)
    trust = cfg.trust.split(",") if isinstance(cfg.trust, str) else cfg.trust
    saved = read_checkpoint(checkpoint)
    config = trusted(saved["config"], trust)
    task = build_task(config)
    for change in cfg.tta.values():
        instantiated(change)(task)
    data = build_data(config, **moved(config["data"], cfg.data_root))
    refuse_other_samples(saved, data)
    if other := edited(saved.get("sources"), sources(built_again(config))):  # of which all is trusted
        log.warning("trained with other code: %s changed since", ", ".join(other))
    device = {"accelerator": cfg.accelerator}
    trainer = build_measuring_trainer(config, **device)
    measured = measure(trainer, task, data, checkpoint)
    log.info("ckpt_path: %s", cfg.ckpt_path)
    for name in cfg.tta:
        log.info("tta: %s; all numbers are of the mean over several views of each sample", name)
    log.info("%s", table(measured, config, data.describe() if hasattr(data, "describe") else {}))
    if path:
        rows, names = getattr(data, "test_rows", None), getattr(data, "class_names", ())
        predicted = predict(config, task, data, checkpoint, **device)
        write_predictions(predicted.outputs, predicted.targets, path, rows, names)
        log.info("predictions: %s", shlex.quote(str(cfg.predictions)))
    return measured


def moved(data: Config, path: str | None) -> Config:
    """Return the argument of a data module that says where its files lie now, if they were moved."""
    key = next((key for key in DATA_PATHS if key in data), DATA_PATHS[0])
    return {key: from_where_typed(path)} if path else {}


def refuse_other_samples(checkpoint: Config, data: L.LightningDataModule) -> None:
    """Refuse samples that are not those of training, as far as both are known (ConfigError)."""
    if isinstance(data, InMemoryData):
        data.setup("validate")
    known, now = checkpoint.get("samples"), getattr(data, "samples_digest", "")
    if known and now and known != now:
        raise ConfigError(
            f"the data has changed since this checkpoint was trained: {type(data).__name__} has other "
            f"samples. Needed: the same files, and a read that returns the same samples each time: no "
            f"number of others says anything of that run. Type for example: data_root=PATH of a copy"
        )


def refuse_unknown(cfg: DictConfig) -> None:
    """Refuse keys that were added with a plus, as if they could change what is measured (ConfigError)."""
    known = folders.keys(folders.find_config("eval"))
    if added := sorted({str(key) for key in cfg}.difference(known)):
        raise ConfigError(
            f"{', '.join(added)}: eval.py has no such key. Data and Trainer are those of the checkpoint. "
            f"{one_of(added[0], known)}"
        )


def table(measured: dict[str, float | None], config: Config, sizes: Config) -> str:
    """Write a row for each split, and a column for each metric; of a share, with its sampling error.

    The ``sizes`` are those of the splits, as far as they are known.
    """
    shares = {counterpart(config["metric"], split) for split in SPLITS} if config["metric_share"] else set()
    cells = {
        split_and_name(name): cell(value, sizes.get(split_and_name(name)[0]) if name in shares else None)
        for name, value in measured.items()
        if value is not None
    }
    if not cells:
        return "the task logs no metric in validation or test"
    names = sorted({name for _, name in cells})
    splits = [split for split in (*SPLITS, "") if any((split, name) in cells for name in names)]
    rows = [["", *names], *([split, *(cells.get((split, name), "") for name in names)] for split in splits)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
    explained = ["±: half the 95 % interval that the number of samples alone leaves"] if shares else []
    return "\n".join([*lines, *explained])


def cell(value: float, samples: int | None) -> str:
    """Write a metric; with half its interval if it is a share of so many samples."""
    return f"{value:.4f} ± {half_interval(value, samples):.4f}" if samples else written(value)
