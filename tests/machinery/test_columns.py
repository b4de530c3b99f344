"""Which columns matter: known importances of a known function are found, with an error that holds them."""

import math
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from torch import Tensor, nn

from overnight.data.arrays import Arrays
from overnight.data.batches import Samples
from overnight.data.in_memory import InMemoryData, Source
from overnight.data.tables import Table
from overnight.runs import permutation
from overnight.study.figures import columns
from overnight.study.score import Score
from overnight.training.measure import build_measuring_trainer
from own_data import BATCHES, SET_ASIDE, SPLITS

TOWNS = (0.0, 2.0, 4.0)
WEIGHTS = {"a": (3.0,), "useless": (0.03,), "b": (1.0,), "constant": (5.0,), "town": TOWNS}
NAMES = tuple(name for name, weights in WEIGHTS.items() for _ in weights)
LOSS = {"a": 2 * 9, "b": 2 * 1, "town": 2 * float(np.var(TOWNS))}
"""What a permutation adds to the squared error: twice the variance of the column's part of the answer."""


class Made(InMemoryData):
    """A target that follows from columns with known weights, and noise."""

    column_names = NAMES

    def read(self) -> Source:
        rng = torch.Generator().manual_seed(0)
        features = torch.randn(1200, len(NAMES), generator=rng)
        features[:, NAMES.index("constant")] = 1.0
        features[:, -3:] = torch.eye(3)[torch.randint(3, (1200,), generator=rng)]
        noise = torch.randn(1200, generator=rng)
        samples = Samples(features, features @ flat(useless=0.0) + noise)
        return Source(samples, samples)


class Known(L.LightningModule):
    """Knows the weights, but takes a useless column for one of a little use."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(flat())

    def validation_step(self, batch: Samples, batch_idx: int) -> None:
        assert batch.features[:, -3:].sum(1).eq(1).all()  # of the three columns of a category one is 1
        error = (batch.features @ self.weights - batch.targets).square().mean()
        self.log("val_loss", error, batch_size=len(batch.targets))

    def training_step(self, batch: Samples, batch_idx: int) -> Tensor:
        loss = (batch.features @ self.weights - batch.targets).square().mean()
        self.log("loss", loss)
        return loss


def flat(**others: float) -> Tensor:
    return torch.tensor([others.get(name, w) for name, weights in WEIGHTS.items() for w in weights])


def changes(metric: str, seeds: range) -> permutation.Changes:
    data = Made(**SPLITS | BATCHES)
    data.setup()
    trainer = build_measuring_trainer({"trainer": {"_target_": "lightning.Trainer", "accelerator": "cpu"}})
    return permutation.changes(trainer, Known(), data, metric, seeds)


def test_known_importances_are_found_and_a_useless_column_is_not() -> None:
    found = changes("val_loss", range(8))
    table = columns.losses(found, Score("val_loss", "min"))
    assert [*table.index[:3]] == ["a", "town", "b"]
    loss, error = (table[key].to_dict() for key in ("loss", "error"))
    for name, known in LOSS.items():
        assert error[name] < loss[name]
        assert loss[name] == pytest.approx(known, abs=error[name])
    assert abs(loss["useless"]) < error["useless"] < 0.1
    assert loss["constant"] == error["constant"] == 0
    merits = {name: [-number for number in numbers] for name, numbers in found.items()}
    assert columns.losses(merits, Score("val_merit", "max")).equals(table)


def test_a_seed_gives_the_same_again_and_another_seed_something_else() -> None:
    twice, once = changes("val_loss", range(2)), changes("val_loss", range(1, 2))
    assert {name: numbers[1:] for name, numbers in twice.items()} == once
    assert twice["a"][0] != twice["a"][1]


def test_of_many_columns_those_that_move_the_loss_are_permuted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permutation, "MOST_COLUMNS", 2)
    found = changes("val_loss", range(2))
    assert {name: len(numbers) for name, numbers in found.items()} == dict.fromkeys(WEIGHTS, 0) | {
        "a": 2,
        "town": 2,
    }
    shown = columns.picture(found, Score("val_loss", "min"), runs=3)
    assert "Of 5 columns, only the 2 that move the loss most were permuted." in shown.caption
    assert "the winner's 3 runs take turns" in shown.caption


def test_the_largest_are_drawn_and_the_sure_ones_named() -> None:
    found = {f"c{place}": [place / 100 - 0.3, place / 100 - 0.298] for place in range(50)}
    shown = columns.picture(found, Score("val/acc", "max", share=True), runs=1)
    (axes,) = shown.figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"c{place}" for place in range(20)]
    assert "The most important ones are c0 (0.299 ± 0.003), c1 (0.289 ± 0.003), c2" in shown.caption
    assert "The 20 most important ones are drawn." in shown.caption
    assert axes.get_xlabel() == "fall of val/acc where the column is permuted"
    none = columns.picture({"c": [math.nan, 0.1, -0.1]}, Score("val/loss", "min"), runs=1)
    assert "No column has a bar above 0." in none.caption


def test_features_of_files_have_the_names_of_their_columns(tmp_path: Path) -> None:
    rows = [f"{row % 7}.5,{'xyz'[row % 3]},{row % 5},{row}" for row in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["size,town,rooms,price", *rows]))
    np.savez(tmp_path / "a.npz", features=np.eye(40, 4), targets=np.arange(40.0))
    np.savez(tmp_path / "images.npz", features=np.ones((40, 1, 2, 2)), targets=np.arange(40.0))
    settings: dict[str, Any] = SPLITS | SET_ASIDE | BATCHES | {"regression": True}
    read_csv = {"sep": None, "encoding": None, "decimal": ".", "thousands": None}
    of_tables = {"target": "price", "drop": [], "categorical": [], "missing": "refuse", "read_csv": read_csv}
    table = Table(path=str(tmp_path / "a.csv"), **settings | of_tables)
    arrays, images = (
        Arrays(path=str(tmp_path / name), standardize=True, **settings) for name in ("a.npz", "images.npz")
    )
    for data in (table, arrays, images):
        data.setup()
    assert table.column_names == ("size", "rooms", "town", "town", "town")
    assert table.test.features.shape == (8, 5)
    assert arrays.column_names == ("column 0", "column 1", "column 2", "column 3")
    assert images.column_names == ()
