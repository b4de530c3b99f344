"""A checkpoint measured again, with nothing but the checkpoint to go by."""

import csv
import logging
from pathlib import Path
from typing import Any

import lightning as L
import torch
from omegaconf import DictConfig
from torch import Tensor

from overnight.config.errors import ConfigError
from overnight.records.metric import counterpart
from overnight.records.sampling import with_error
from overnight.training.checkpoints import load_task, read_checkpoint
from overnight.training.fit import instantiated
from overnight.training.measure import build_measuring_trainer, has_split, measure

log = logging.getLogger(__name__)

Config = dict[str, Any]

SPLITS = ("train", "val", "test")


def evaluate(cfg: DictConfig) -> dict[str, float | None]:
    """Print and return every metric on every split; write the test predictions if a path is given.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: the file is no checkpoint of a run.
    """
    config = read_checkpoint(cfg.ckpt_path)["config"]
    task, data = load_task(cfg.ckpt_path), build_data(config, cfg.data_root)
    trainer = build_measuring_trainer(config, accelerator=cfg.accelerator)
    measured = measure(trainer, task, data)
    log.info("%s", table(measured, config, data.describe() if hasattr(data, "describe") else None))
    if cfg.predictions:
        write_predictions(trainer, task, data, Path(cfg.predictions))
        log.info("predictions: %s", cfg.predictions)
    return measured


def build_data(config: Config, root: str | None) -> L.LightningDataModule:
    """Build the data module of the run, with its files elsewhere if asked for."""
    data: L.LightningDataModule = instantiated(config["data"], **({"root": root} if root else {}))
    return data


def table(measured: dict[str, float | None], config: Config, sizes: Config | None) -> str:
    """Write a line for each metric, with its value on each split; shares with their sampling error."""
    shares = {counterpart(config["metric"], split) for split in SPLITS} if config["metric_share"] else set()
    width = max((len(name) for name in measured), default=0)
    return "\n".join(
        f"{name:>{width}}  {with_error(value, name in shares, sizes, split_of(name))}"
        for name, value in measured.items()
        if value is not None
    )


def split_of(metric: str) -> str:
    """Return the split that a metric's name tells of."""
    return next((split for split in SPLITS if counterpart(counterpart(metric, "val"), split) == metric), "")


def predict(
    trainer: L.Trainer, task: L.LightningModule, data: L.LightningDataModule
) -> tuple[Tensor, Tensor]:
    """Return what ``predict_step`` gives for the whole test set [n, ...], and the true targets [n, ...].

    Raises:
        ConfigError: the task has no ``predict_step`` of its own, or the data none to predict.
    """
    if not has_split(task, data, "predict_step", "predict_dataloader"):
        raise ConfigError(
            f"{type(task).__name__} cannot predict. Needed: a predict_step that returns a tensor for each batch, "
            f"and data with a predict_dataloader"
        )
    outputs = trainer.predict(task, datamodule=data)
    loader: Any = data.predict_dataloader()
    targets = torch.cat([batch[1].cpu() for batch in loader])
    return torch.cat([output.cpu() for output in outputs]), targets  # type: ignore[union-attr]


def write_predictions(
    trainer: L.Trainer, task: L.LightningModule, data: L.LightningDataModule, path: Path
) -> None:
    """Write the index, the target and the prediction of each test sample; of classes, their probabilities."""
    outputs, targets = predict(trainer, task, data)
    path.parent.mkdir(parents=True, exist_ok=True)
    classes = outputs.ndim > 1 and not targets.is_floating_point()
    columns = [f"p{number}" for number in range(outputs.shape[1])] if classes else []
    predictions = (
        outputs.argmax(1) if classes else outputs.flatten(1).squeeze(1) if outputs.ndim > 1 else outputs
    )
    probabilities = outputs.tolist() if classes else [[] for _ in outputs]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["index", "target", "prediction", *columns])
        rows = zip(targets.squeeze().tolist(), predictions.tolist(), probabilities, strict=True)
        for index, (target, prediction, row) in enumerate(rows):
            writer.writerow([index, target, prediction, *(f"{p:.6g}" for p in row)])
