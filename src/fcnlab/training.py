"""Training: a checked configuration in; history, best and last out."""

import os
import time
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import hydra
import lightning as L
import torch
from hydra.errors import InstantiationException
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.loggers import Logger

from fcnlab import schema
from fcnlab.checkpoints import BEST, LAST, AtomicCheckpointIO, read_checkpoint
from fcnlab.data import InMemoryData
from fcnlab.environment import environment
from fcnlab.history import DivergedError, Row
from fcnlab.task import Classifier

# Lightning's import sets this to 1. Where torch is built for CUDA but no GPU is present, every step of Adam
# then searches the disk for NVIDIA's library anew (0.05 to 0.25 ms); asking the CUDA runtime is cheap.
os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "0"
warnings.filterwarnings(
    "ignore", message=r"`isinstance\(treespec, LeafSpec\)` is deprecated"
)  # Lightning 2.6

Config = dict[str, Any]

MEASURED = tuple(f"{split}/{name}" for split in ("train", "val", "test") for name in ("loss", "acc"))


def train(config: Config, directory: Path, choices: Config, checkpoint: str | None = None) -> Config:
    """Build everything, fit, and measure the best and the last weights on every split.

    Args:
        config: checked and resolved.
        directory: the run's; all that is written goes there.
        choices: group -> option.
        checkpoint: go on from this one.
    """
    L.seed_everything(config["seed"], verbose=False)
    task, data = build(config)
    spent = seconds_spent(read_checkpoint(checkpoint)) if checkpoint else 0.0  # refused before data is read
    trainer = build_trainer(config, directory)
    start = time.perf_counter()
    outcome = fit(trainer, task, data, checkpoint)
    seconds = spent + time.perf_counter() - start
    measured = measure_checkpoints(trainer, task, data)
    trained = results(task, data, measured, seconds, trainer.strategy.root_device)
    log_hyperparameters(trainer.loggers, config, choices, trained["best"])
    return outcome | trained


def results(
    task: Classifier, data: InMemoryData, measured: dict[Path, Config], seconds: float, device: torch.device
) -> Config:
    """Return what the record of a run says of its training.

    Args:
        task: trained.
        data: that it was trained on.
        measured: the metrics of those of best.ckpt and last.ckpt that there are.
        seconds: that the fit took.
        device: on which.
    """
    images = len(data.split.train) * (len(task.history) - 1)
    return {
        "model": {
            "hidden_sizes": task.config["model"]["hidden_sizes"],
            "parameters": count_parameters(task),
        },
        "history": task.history,
        **best_and_last(task.history, measured),
        "seconds": seconds,
        "samples_per_second": images / seconds,
        "data": data.describe(),
        "environment": environment() | {"device": str(device)},
    }


def seconds_spent(checkpoint: Config) -> float:
    """Return the time that the epochs before the checkpoint took."""
    return sum(row["seconds"] or 0.0 for row in checkpoint["history"])


def build(config: Config) -> tuple[Classifier, InMemoryData]:
    """Build the module and the data module; nothing is read yet.

    The optimizer is built once only to refuse a wrong setting now, and not after the data is read.
    """
    task: Classifier = hydra.utils.instantiate(config["task"], _convert_="all")
    task.config = config
    try:
        task.optimizer(task.net.parameters())
    except (TypeError, ValueError) as error:
        settings = {key: value for key, value in config["optimizer"].items() if not key.startswith("_")}
        raise schema.ConfigError(
            f"optimizer: {error}. Given: {settings}. Needed: what {config['optimizer']['_target_']} takes. "
            f"Type for example: optimizer=adam, and no optimizer.KEY=VALUE"
        ) from error
    data: InMemoryData = hydra.utils.instantiate(config["data"], _convert_="all")
    return task, data


def build_trainer(config: Config, directory: Path) -> L.Trainer:
    """Build the trainer with its callbacks and loggers; whatever it saves goes into the run's directory."""
    parts = {name: build_parts(config[name]) for name in ("callbacks", "logger")}
    saves = any(isinstance(part, Checkpoint) for part in parts["callbacks"])  # else Lightning adds one itself
    try:
        trainer: L.Trainer = hydra.utils.instantiate(
            config["trainer"],
            default_root_dir=str(directory),
            enable_checkpointing=saves,
            plugins=[AtomicCheckpointIO()],
            **parts,
            _convert_="all",
        )
    except InstantiationException as error:
        raise schema.ConfigError(
            f"trainer: {error.__cause__}. Needed: what this machine has. Type for example: trainer=default"
        ) from error
    return trainer


def build_parts(config: Config) -> list[Any]:
    """Build every part that a section of the configuration describes: the callbacks, or the loggers."""
    return [hydra.utils.instantiate(part, _convert_="all") for part in config.values()]


def fit(trainer: L.Trainer, task: Classifier, data: InMemoryData, ckpt_path: str | None) -> Config:
    """Measure the untrained net as epoch 0, then train; or go on from a checkpoint. Say how it ended."""
    try:
        if not ckpt_path:
            trainer.validate(task, data, verbose=False)
            task.record(epoch=0)
        trainer.fit(task, data, ckpt_path=ckpt_path)
    except DivergedError as error:
        return {"status": "diverged", "error": describe(error)}
    except SystemExit as end:  # Lightning's answer to Ctrl-C
        raise KeyboardInterrupt from end
    return {"status": "completed"}


def measure_checkpoints(trainer: L.Trainer, task: Classifier, data: InMemoryData) -> dict[Path, Config]:
    """Measure those of best.ckpt and last.ckpt that there are."""
    root = Path(trainer.default_root_dir)
    return {
        path: measure_checkpoint(trainer, task, data, root / path)
        for path in (BEST, LAST)
        if (root / path).is_file()
    }


def best_and_last(history: list[Row], measured: dict[Path, Config]) -> Config:
    """Return the metrics of the best and the last weights; where there is no checkpoint, the history's."""
    rows = {BEST: max(history, key=lambda row: row["val/acc"] or 0.0), LAST: history[-1]}
    unknown = {"train/loss": None, "train/acc": None}
    told = {
        path.stem: measured.get(path) or {key: row[key] for key in ("epoch", *MEASURED)} | unknown
        for path, row in rows.items()
    }
    return told | {"checkpoint": str(BEST) if BEST in measured else None}


def measure_checkpoint(trainer: L.Trainer, task: Classifier, data: InMemoryData, path: Path) -> Config:
    """Load the weights and measure them on every split, in eval mode."""
    saved = read_checkpoint(path)
    task.load_state_dict(saved["state_dict"])
    return {"epoch": saved["history"][-1]["epoch"], **measure(trainer, task, data)}


def measure(trainer: L.Trainer, task: Classifier, data: InMemoryData) -> dict[str, Any]:
    """Return the loss and accuracy of the weights at hand on every split, in eval mode."""
    trainer.validate(task, dataloaders=data.eval_dataloaders(), verbose=False)
    return {name: task.metrics[name] for name in MEASURED}


def count_parameters(task: Classifier) -> int:
    """Return the number of trainable parameters."""
    return sum(p.numel() for p in task.net.parameters() if p.requires_grad)


def log_hyperparameters(
    loggers: Iterable[Logger], config: Config, choices: dict[str, Any], best: Config
) -> None:
    """Give every logger the run's flat hyperparameters and final metrics: the same keys in every run."""
    flat = {
        key: str(choices[key])
        for key in ("model", "activation", "init", "regularization", "optimizer", "scheduler", "loss")
    }
    flat |= {
        "hidden_sizes": "-".join(map(str, config["model"]["hidden_sizes"])),
        "dropout": str(config["dropout"]),
        "lr": config["lr"],
        "weight_decay": config["weight_decay"],
        "batch_size": config["data"]["batch_size"],
        "max_epochs": config["trainer"]["max_epochs"],
        "seed": config["seed"],
        "fold": config["data"]["fold"],
    }
    final = {f"hp/{name.replace('/', '_')}": best[name] for name in ("val/acc", "test/acc")}
    for logger in loggers:
        logger.log_hyperparams(flat | final)
        logger.save()


def describe(error: BaseException) -> dict[str, str]:
    """Return type and message; of what Hydra wraps, the cause."""
    cause = error.__cause__ if isinstance(error, InstantiationException) and error.__cause__ else error
    return {"type": type(cause).__name__, "message": str(cause) or type(cause).__name__}
