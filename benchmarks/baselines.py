"""Test accuracy or R2 of our network beside scikit-learn's MLP and boosted trees, on data that packages ship.

A row is one sweep of ``train.py`` as a user types it: over five draws of the test rows, or over three seeds
where there is an official test set. scikit-learn's models, with their own defaults, are fitted on exactly the
samples that each run was trained on, as its checkpoint says: the same standardized features and, of numbers,
standardized targets. All learn from the training part alone. The validation part chooses the best epoch of
our network, and the others do without it. A cell is mean ± standard deviation, the last one that of the
differences within a draw. On FashionMNIST, boosted trees take 12 s for one of a hundred iterations: they are
left out, and the MLP has 20 epochs instead of 200. Given a folder, an interrupted measurement trains only
what is missing.

    pip install '.[baselines]'
    python benchmarks/baselines.py [folder] [NAME ...]
"""

import platform
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import sklearn
import torch
from rich.console import Console
from rich.table import Table
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_wine
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from statsmodels.datasets import anes96, fair, grunfeld, randhie

from overnight import study
from overnight.data.in_memory import InMemoryData
from overnight.training.checkpoints import read_checkpoint
from overnight.training.parts import build_data

ROOT = Path(__file__).parents[1]
MODELS = ("our fcn", "MLP", "boosted trees")
SPLITS = "data.test_seed=0,1,2,3,4"


class Set(NamedTuple):
    """A data set.

    Args:
        frame: reads it as a table; None: it is an option of ``data``.
        typed: what a user types for it.
        epochs: of scikit-learn's MLP, at most; 200 is its default.
        trees: fit boosted trees.
    """

    frame: Callable[[], pd.DataFrame] | None
    typed: str
    epochs: int = 200
    trees: bool = True


CLASSES = "metrics=loss trainer.max_epochs=100"
NUMBERS = "loss=mse metrics=regression trainer.max_epochs=100"
LONG = "regularization=early_stopping"
SETS = {
    "wine": Set(lambda: load_wine(as_frame=True).frame, f"data.target=target {CLASSES}"),
    "breast_cancer": Set(lambda: load_breast_cancer(as_frame=True).frame, f"data.target=target {CLASSES}"),
    "anes96": Set(lambda: anes96.load_pandas().data, f"data.target=vote {CLASSES}"),
    "digits": Set(lambda: load_digits(as_frame=True).frame, f"data.target=target {CLASSES}"),
    "fair": Set(lambda: fair.load_pandas().data, f"data.target=rate_marriage {CLASSES} {LONG}"),
    "grunfeld": Set(lambda: grunfeld.load_pandas().data, f"data.target=invest {NUMBERS}"),
    "diabetes": Set(lambda: load_diabetes(as_frame=True).frame, f"data.target=target {NUMBERS}"),
    "randhie": Set(lambda: randhie.load_pandas().data, f"data.target=mdvis {NUMBERS} {LONG}"),
    "fashion_mnist": Set(None, "data=fashion_mnist", epochs=20, trees=False),
}


def trained(name: str, folder: Path) -> pd.DataFrame:
    """Train our network as a user would, in a process of its own; return its runs."""
    frame, typed, *_ = SETS[name]
    words = [*typed.split(), f"hydra.sweep.dir={folder / name}", "seed=0,1,2"]
    if frame:
        frame().to_csv(folder / f"{name}.csv", index=False)
        words = [*words[:-1], "data=table", f"data.path={folder / name}.csv", SPLITS]
    subprocess.run([sys.executable, ROOT / "train.py", "-m", *words], check=True, stdout=subprocess.DEVNULL)
    return study.load(folder / name)


def samples(data: InMemoryData) -> tuple[np.ndarray, ...]:
    """Return features [n, columns] and targets [n] of the training part, and those of the test set."""
    rows = data.split.train
    tensors = data.official_train.features[rows], data.official_train.targets[rows], *data.test
    return tuple(tensor.flatten(1).numpy() if tensor.ndim > 1 else tensor.numpy() for tensor in tensors)


def baselines(run: Path, epochs: int, *, trees: bool) -> dict[str, float]:
    """Fit scikit-learn's models on the samples of a run; return their scores on its test set."""
    config = read_checkpoint(run / "checkpoints" / "best.ckpt")["config"]
    data: Any = build_data(config)
    data.setup()
    train_features, train_targets, *test = samples(data)
    seed = config["seed"]
    if data.class_names:
        models: dict[str, Any] = {
            "MLP": MLPClassifier(max_iter=epochs, random_state=seed),
            "boosted trees": HistGradientBoostingClassifier(random_state=seed),
        }
    else:
        mlp = MLPRegressor(max_iter=epochs, random_state=seed)
        models = {
            "MLP": TransformedTargetRegressor(mlp, transformer=StandardScaler()),
            "boosted trees": HistGradientBoostingRegressor(random_state=seed),
        }
    asked = list(models)[: 1 + trees]
    return {name: models[name].fit(train_features, train_targets).score(*test) for name in asked}


def row(name: str, folder: Path) -> list[str]:
    """Measure one data set."""
    runs = trained(name, folder)
    metric = "test/r2" if "test/r2" in runs else "test/acc"
    scores = pd.DataFrame(
        [baselines(Path(path), SETS[name].epochs, trees=SETS[name].trees) for path in runs["path"]]
    )
    scores["our fcn"] = runs[metric]
    ahead = scores["our fcn"] - scores["MLP"]
    sizes = runs[["train samples", "val samples", "test samples"]].iloc[0]
    return [
        name,
        " / ".join(map(str, sizes)),
        {"test/acc": "accuracy", "test/r2": "R2"}[metric],
        *(spread(scores[model]) if model in scores else "-" for model in MODELS),
        f"{ahead.mean():+z.3f} ± {ahead.std():.3f}",
    ]


def spread(values: pd.Series) -> str:
    """Write mean and standard deviation."""
    return f"{values.mean():.3f} ± {values.std():.3f}"


def processor() -> str:
    """Return the name of the processor, as far as the system tells it."""
    listed = Path("/proc/cpuinfo")
    told = re.search(r"model name\s*: (.+)", listed.read_text()) if listed.exists() else None
    return told[1] if told else platform.processor()


def main(folder: Path, *names: str) -> None:
    """Print a line for each data set that is measured, and the table at the end."""
    warnings.filterwarnings("ignore", module="sklearn")  # the MLP's 200 epochs may not converge
    title = f"scikit-learn {sklearn.__version__}, torch {torch.__version__}, {processor()}"
    folder.mkdir(parents=True, exist_ok=True)
    table = Table("data", "train / val / test", "score", *MODELS, "fcn - MLP", title=title)
    for name in names or SETS:
        cells = row(name, folder)
        print(*cells, sep="  ", flush=True)
        table.add_row(*cells)
    Console(width=130, color_system=None).print(table)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]).absolute(), *sys.argv[2:])
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(Path(temporary))
