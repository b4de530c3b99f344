"""Tables as people's programs export them: each can be learned from."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from commands import every
from own_tables import COLOUR, KIND, PLAIN, ROWS, SIZE, kind, lines, once, read, size, with_

LEARNED: dict[str, tuple[str | bytes, dict[str, Any], int]] = {
    "plain": (PLAIN, {}, 4),
    "categories alone": (lines(COLOUR, KIND), {}, 3),
    "one column left out, without brackets": (PLAIN, {"drop": "colour"}, 1),
    "semicolons": (PLAIN.replace(",", ";"), {}, 4),
    "tabs": (PLAIN.replace(",", "\t"), {}, 4),
    "bars": (PLAIN.replace(",", "|"), {}, 4),
    "Windows' line ends": (PLAIN.replace("\n", "\r\n"), {}, 4),
    "no line end at the end": (PLAIN.rstrip(), {}, 4),
    "blank lines": (PLAIN.replace("\n", "\n\n"), {}, 4),
    "a byte order mark": (PLAIN.encode("utf-8-sig"), {}, 4),
    "UTF-16, as spreadsheets save it": (PLAIN.replace(",", "\t").encode("utf-16"), {}, 4),
    "latin-1, said so": (
        with_(lambda r: "éß"[r % 2]).encode("latin-1"),
        {"read_csv": {"encoding": "latin-1"}},
        3,
    ),
    "names of other alphabets": (with_(size, "größe").replace("kind", "種類"), {"target": "種類"}, 2),
    "spaces after commas": (PLAIN.replace(",", ", "), {}, 4),
    "spaces before commas": (PLAIN.replace(",", " ,").replace("dog", "dog "), {}, 4),
    "quotes around all": ("\n".join(",".join(f'"{f}"' for f in x.split(",")) for x in PLAIN.split()), {}, 4),
    "a comma in quotes": (with_(lambda r: ('"a, b"', "c")[r % 2]), {}, 3),
    "decimal commas, said so": (
        with_(lambda r: f"{r},5", sep=";").replace(".", ","),
        {"read_csv": {"decimal": ","}},
        2,
    ),
    "thousands, said so": (with_(lambda r: f'"{r + 1},{100 + r}"'), {"read_csv": {"thousands": ","}}, 2),
    "no names, said so": (PLAIN.partition("\n")[2], {"read_csv": {"names": ["a", "b", "kind"]}}, 4),
    "an index without a name": (pd.DataFrame({"x": range(ROWS), "kind": [*"ab"] * 12}).to_csv(), {}, 1),
    "a comma at each line's end": (PLAIN.replace("\n", ",\n"), {}, 4),
    "a constant column": (with_(lambda r: 3), {}, 1),
    "an empty column": (with_(lambda r: ""), {}, 1),
    "an identifier left out": (with_(lambda r: f"id{r}"), {"drop": ["odd"]}, 1),
    "a category in one row": (with_(once("rare", kind)), {}, 4),
    "missing numbers by the mean": (with_(once("")), {"missing": "mean"}, 2),
    "missing numbers by the median": (with_(once("NA")), {"missing": "median"}, 2),
    "missing categories": (with_(once("", kind)), {"missing": "mean"}, 4),
    "codes as categories": (with_(lambda r: r % 3), {"categorical": ["odd"]}, 4),
    "true and false": (with_(lambda r: r % 2 == 0), {}, 2),
    "true and false as classes": (lines(SIZE, ("kind", lambda r: r % 2 == 0)), {}, 1),
    "whole numbers as classes": (lines(SIZE, ("kind", lambda r: 3 + r % 3)), {}, 1),
    "floats that are whole as classes": (lines(SIZE, ("kind", lambda r: 1.0 + r % 2)), {}, 1),
    "large numbers": (with_(lambda r: 1_600_000_000 + r), {}, 2),
    "scientific numbers": (with_(lambda r: f"{r}e-30"), {}, 2),
    "a number to learn": (lines(SIZE, ("kind", size)), {"regression": True}, 1),
    "a number in the name of a column": (PLAIN.replace("size", "2019"), {}, 4),
    "compressed": (gzip.compress(PLAIN.encode()), {}, 4),
    "two thousand columns": (lines(*((f"x{c}", size) for c in range(2000)), KIND), {}, 2000),
}
"""Content of the file, settings, and the number of features."""


@pytest.mark.parametrize("name", LEARNED)
def test_what_can_be_learned_from(name: str, tmp_path: Path) -> None:
    content, settings, features = LEARNED[name]
    data = read(tmp_path, content, **settings)
    assert data.traits()["in_features"] == features
    for split in ("train", "val", "test"):
        for batch in data.whole(split):
            assert batch.features.isfinite().all()
            assert batch.features.dtype == torch.float32
    sizes = data.describe()
    assert sizes["train"] + sizes["val"] + sizes["test"] == ROWS


@pytest.mark.parametrize("fold", range(3))
def test_numbers_are_standardized_on_the_training_part_alone(fold: int, tmp_path: Path) -> None:
    data = read(tmp_path, PLAIN, folds=3, fold=fold)
    (train,) = data.whole("train")
    numbers, categories = train.features[:, 0], train.features[:, 1:]
    assert numbers.mean().item() == pytest.approx(0, abs=1e-6)
    assert numbers.std(correction=0).item() == pytest.approx(1, abs=1e-6)
    assert categories.sum(1).tolist() == [1.0] * len(train.targets)
    raw = torch.tensor([float(str(size(row))) for row in range(ROWS)], dtype=torch.float64)
    kept = torch.tensor([row for row in range(ROWS) if row not in set(data.test_rows or ())])
    trained = raw[kept[data.split.train]]
    expected = (raw[kept] - trained.mean()) / trained.std(correction=0)
    assert data.official_train.features[:, 0].tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_category_that_is_not_trained_on_tells_nothing(tmp_path: Path) -> None:
    for fold in range(4):
        data = read(tmp_path, with_(once("rare", kind)), folds=4, fold=fold)
        (train,) = data.whole("train")
        rare = data.official_train.features[:, -1]
        assert bool(rare.any()) == bool(train.features[:, -1].any())


def test_missing_numbers_are_filled_in_by_the_training_part(tmp_path: Path) -> None:
    data = read(tmp_path, with_(once("")), missing="mean")
    place = [row for row in range(ROWS) if row not in set(data.test_rows or ())].index(5)
    assert data.official_train.features[place, 1].item() == pytest.approx(0, abs=1e-6)  # the mean


def test_the_classes_have_the_names_in_the_column(tmp_path: Path) -> None:
    data = read(tmp_path, PLAIN)
    assert data.class_names == ("cat", "dog")
    test = [kind(row) for row in data.test_rows or ()]
    assert [data.class_names[label] for label in data.test.targets] == test


def test_a_changed_file_is_read_anew(tmp_path: Path) -> None:
    assert read(tmp_path, PLAIN).class_names == ("cat", "dog")
    assert read(tmp_path, PLAIN.replace("dog", "horse")).class_names == ("cat", "horse")


def test_the_test_set_is_the_same_for_all_folds_and_splits(tmp_path: Path) -> None:
    drawn = {
        tuple(read(tmp_path, PLAIN, folds=2, fold=fold, split_seed=seed).test_rows or ())
        for fold in (0, 1)
        for seed in (0, 1)
    }
    assert len(drawn) == 1
    assert drawn != {tuple(read(tmp_path, PLAIN, test_seed=1).test_rows or ())}


@pytest.mark.parametrize("rows", every(2, [2_000, 200_000]))
def test_many_rows(rows: int, tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=(rows, 8)).round(3)
    frame = pd.DataFrame(numbers, columns=[*"abcdefgh"]).assign(
        kind=np.where(numbers[:, 0] > 0, "up", "down")
    )
    data = read(tmp_path, frame.to_csv(index=False))
    assert data.describe()["train"] == rows * 0.75**2
