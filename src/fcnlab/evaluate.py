"""A checkpoint measured again, with nothing but the checkpoint to go by."""

import csv
import logging
from pathlib import Path
from typing import Any

import hydra
import lightning as L
import torch
from omegaconf import DictConfig
from torch import Tensor

from fcnlab.batches import Batches
from fcnlab.data import InMemoryData
from fcnlab.sampling import with_error
from fcnlab.task import Classifier
from fcnlab.training import measure

log = logging.getLogger(__name__)


def evaluate(cfg: DictConfig) -> dict[str, Any]:
    """Print and return loss and accuracy on every split; write the test predictions if a path is given.

    Raises:
        FileNotFoundError: there is no such checkpoint.
        ValueError: the file is no checkpoint of fcnlab.
    """
    task = Classifier.load_from_checkpoint(cfg.ckpt_path)
    data = build_data(task.config, cfg.data_root)
    measured = measure(build_trainer(task.config, cfg.accelerator), task, data)
    sizes = data.describe()
    for split in ("train", "val", "test"):
        accuracy = with_error(measured[f"{split}/acc"], sizes[split])
        log.info("%5s  loss %.4f  acc %s", split, measured[f"{split}/loss"], accuracy)
    if cfg.predictions:
        write_predictions(task, data.eval_dataloaders()[1], Path(cfg.predictions))
        log.info("predictions: %s", cfg.predictions)
    return measured


def build_data(config: dict[str, Any], root: str | None) -> InMemoryData:
    """Build the data module of the run, with its images elsewhere if asked for, and read them."""
    moved = {"root": root} if root else {}
    data: InMemoryData = hydra.utils.instantiate(config["data"], **moved, _convert_="all")
    data.setup()
    return data


def build_trainer(config: dict[str, Any], accelerator: str) -> L.Trainer:
    """Build the trainer of the run, precision and all, but let it save and log nothing."""
    trainer: L.Trainer = hydra.utils.instantiate(
        config["trainer"], accelerator=accelerator, logger=False, enable_checkpointing=False, _convert_="all"
    )
    return trainer


@torch.inference_mode()
def predict(task: Classifier, batches: Batches) -> tuple[Tensor, Tensor]:
    """Return the probabilities [n, classes] and the true labels [n] of all images, in eval mode."""
    task.eval()
    outputs = [(task(pixels).softmax(1), labels) for pixels, labels in batches]
    probabilities, labels = (torch.cat(part) for part in zip(*outputs, strict=True))
    return probabilities, labels


def write_predictions(task: Classifier, batches: Batches, path: Path) -> None:
    """Write index, label, prediction and the ten probabilities of each image."""
    probabilities, labels = predict(task, batches)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["index", "label", "prediction", *(f"p{c}" for c in range(probabilities.shape[1]))])
        predictions = probabilities.argmax(1).tolist()
        for index, (label, prediction, row) in enumerate(
            zip(labels.tolist(), predictions, probabilities.tolist(), strict=True)
        ):
            writer.writerow([index, label, prediction, *(f"{p:.6g}" for p in row)])
