"""Seconds for one epoch of 784-256-128-10 at batch 128, four ways, alternating in one process.

(a) the matrix products alone    (b) a bare PyTorch loop over tensors in memory, fused Adam
(c) train.py as a user has it    (d) Lightning over DataLoader + ToTensor + Normalize

(a) and (b) only train; (c) and (d) also validate on 6,000 and test on 10,000 images, log, draw a bar and
save checkpoints. Machines differ and are noisy: read the ratios.

    python benchmarks/throughput.py [rounds]
"""

import contextlib
import gc
import gzip
import logging
import os
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import lightning as L
import torch
from bare import BATCH, bare_loop, matrix_products, network
from hydra import compose, initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn
from torch.utils.data import DataLoader, Subset
from torchmetrics import Accuracy
from torchvision import transforms
from torchvision.datasets import FashionMNIST

from fcnlab import fashion_mnist
from overnight.config import resolvers
from overnight.training.fit import fit
from overnight.training.history import History
from overnight.training.measure import build_measuring_trainer
from overnight.training.parts import build, build_trainer

CONF = Path(__file__).parents[1] / "conf"

EPOCHS = 3  # in (c) and (d); the first one warms up


def clocked(module: L.LightningModule) -> list[float]:
    """Return a list that will hold the time at which each epoch started.

    From start to start an epoch holds all that happens in it. A callback would cost every step a little.
    """
    starts: list[float] = []
    begin = module.on_train_epoch_start

    def begin_and_note() -> None:
        starts.append(time.perf_counter())
        begin()

    module.on_train_epoch_start = begin_and_note  # type: ignore[method-assign]
    return starts


def epoch_seconds(starts: list[float]) -> float:
    """Return the median over the epochs after the first, which warms up."""
    return statistics.median(after - before for before, after in list(pairwise(starts))[1:])


def train_py(directory: Path) -> float:
    """Run what `python train.py` runs, bar and all."""
    resolvers.register()
    with initialize_config_dir(str(CONF), version_base="1.3"):
        overrides = [f"trainer.max_epochs={EPOCHS + 1}", f"hydra.run.dir={directory}"]
        cfg = compose("train", overrides, return_hydra_config=True)
        OmegaConf.update(cfg, "hydra.runtime.output_dir", str(directory), force_add=True)
        OmegaConf.update(cfg, "hydra.mode", "RUN", force_add=True)
        HydraConfig.instance().set_config(cfg)
        config: Any = OmegaConf.to_container(cfg, resolve=False)
        del config["hydra"]
        config = OmegaConf.to_container(OmegaConf.create(config), resolve=True)
    L.seed_everything(0, verbose=False)
    task, data = build(config)
    history = History(config)
    trainer, measuring = build_trainer(config, directory, history), build_measuring_trainer(config)
    starts = clocked(task)
    with shown_to_nobody():
        fit(trainer, measuring, task, data, history, None)
    return epoch_seconds(starts)


class Usual(L.LightningModule):
    """A module as the popular templates write it: a torchmetrics object and a log call at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.net = network()
        self.accuracies = nn.ModuleDict(
            {split: Accuracy(task="multiclass", num_classes=10) for split in ("fit", "val0", "val1")}
        )

    def measure(self, batch: Any, split: str) -> Tensor:
        """Log the loss and the accuracy of one batch."""
        images, labels = batch
        logits = self.net(images)
        loss = nn.functional.cross_entropy(logits, labels)
        accuracy: Any = self.accuracies[split]
        accuracy(logits, labels)
        self.log(f"{split}/loss", loss, on_step=False, on_epoch=True, prog_bar=True, add_dataloader_idx=False)
        self.log(
            f"{split}/acc", accuracy, on_step=False, on_epoch=True, prog_bar=True, add_dataloader_idx=False
        )
        return loss

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Return the loss."""
        return self.measure(batch, "fit")

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        """Measure validation or test."""
        self.measure(batch, f"val{dataloader_idx}")

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam, as it comes."""
        return torch.optim.Adam(self.parameters())


def usual_template(root: Path, directory: Path) -> float:
    """Train over torchvision's dataset, image by image."""
    scale = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.286041,), (0.353024,))])
    train, test = (FashionMNIST(str(root), train=part, transform=scale) for part in (True, False))
    loaders = [
        DataLoader(part, batch_size=BATCH, shuffle=shuffle)
        for part, shuffle in (
            (Subset(train, range(54_000)), True),
            (Subset(train, range(54_000, 60_000)), False),
            (test, False),
        )
    ]
    module = Usual()
    starts = clocked(module)
    with shown_to_nobody():
        trainer = L.Trainer(
            max_epochs=EPOCHS,
            default_root_dir=directory,
            num_sanity_val_steps=0,
            accelerator="cpu",
        )
        trainer.fit(module, loaders[0], loaders[1:])
    return epoch_seconds(starts)


@contextlib.contextmanager
def shown_to_nobody() -> Iterator[None]:
    """Draw bars as on a terminal, but into the void."""
    with (
        Path(os.devnull).open("w") as void,
        contextlib.redirect_stdout(void),
        contextlib.redirect_stderr(void),
    ):
        yield


def raw_files(root: Path) -> Path:
    """Lay the four files out as torchvision's dataset wants them."""
    raw = root / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    source = fashion_mnist.locate(Path(os.environ.get("FCNLAB_DATA", "data")))
    for name in fashion_mnist.DIGESTS:
        path = fashion_mnist.stored(source, name)
        assert path
        (raw / name).write_bytes(
            gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        )
    return root


def main(rounds: int) -> None:
    """Measure in turn, and print medians and ratios; (d) takes so long that every third round has to do."""
    quiet()
    with tempfile.TemporaryDirectory() as folder:
        root = raw_files(Path(folder, "data"))
        images = fashion_mnist.load(Path(os.environ.get("FCNLAB_DATA", "data")).resolve()).train
        pixels, labels = images.features[:54_000], images.targets[:54_000]
        seconds: list[dict[str, float]] = []
        for number in range(rounds):
            measured = {
                "a": matrix_products(pixels, labels),
                "b": bare_loop(pixels, labels),
                "c": train_py(Path(tempfile.mkdtemp(dir=folder))),
            }
            slow = {} if number % 3 else {"d": usual_template(root, Path(tempfile.mkdtemp(dir=folder)))}
            seconds.append(measured | slow)
            gc.collect()
    report(seconds)


def quiet() -> None:
    """Let Lightning say nothing, and rich draw its bar although the output is no terminal."""
    warnings.simplefilter("ignore")
    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    os.environ["FORCE_COLOR"] = "1"


NAMES = {
    "a": "(a) matrix products alone",
    "b": "(b) bare PyTorch loop",
    "c": "(c) train.py",
    "d": "(d) Lightning over DataLoader",
}


def report(seconds: list[dict[str, float]]) -> None:
    """Print the medians and the fastest, and the median of the ratios within a round."""
    table = Table(title=f"{len(seconds)} rounds, {torch.get_num_threads()} threads", title_justify="left")
    for column in ("what", "s/epoch, median", "fastest", "images/s"):
        table.add_column(column, justify="left" if column == "what" else "right")
    for way, name in NAMES.items():
        times = [row[way] for row in seconds if way in row]
        median = statistics.median(times)
        table.add_row(name, f"{median:.3f}", f"{min(times):.3f}", f"{54_000 / median:,.0f}")
    console = Console(width=100, color_system=None)
    console.print(table)
    for over, under, target in (("c", "a", "<= 2.8"), ("c", "b", "<= 1.5"), ("d", "c", ">= 4.5")):
        ratio = statistics.median(row[over] / row[under] for row in seconds if over in row)
        fastest = min(r[over] for r in seconds if over in r) / min(r[under] for r in seconds)
        console.print(f"{over}/{under}  {ratio:.2f}  ({fastest:.2f} of the fastest; target {target})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
