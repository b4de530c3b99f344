"""Tables as people's programs export them: each can be learned from, or is refused in one message."""

import gzip
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hydra.core.override_parser.overrides_parser import OverridesParser

from commands import every
from overnight.data.files import typed
from overnight.data.tables import Table
from own_data import BATCHES, SET_ASIDE, SPLITS

ROWS = 24
SETTINGS: dict[str, Any] = {
    "target": "kind",
    "regression": False,
    "drop": [],
    "categorical": [],
    "missing": "refuse",
    "read_csv": {"sep": None, "encoding": None, "decimal": ".", "thousands": None},
    **(SPLITS | SET_ASIDE | BATCHES | {"test_size": 0.25}),
}


def lines(*columns: tuple[str, Callable[[int], object]], sep: str = ",", rows: int = ROWS) -> str:
    """Return a table as CSV: of each column the name, and the value in a row."""
    header = sep.join(name for name, _ in columns)
    body = (sep.join(str(value(row)) for _, value in columns) for row in range(rows))
    return "\n".join([header, *body]) + "\n"


def size(row: int) -> object:
    return row * 7 % 11 + 0.5


def kind(row: int) -> object:
    return ("cat", "dog")[row % 2]


SIZE, KIND, COLOUR = ("size", size), ("kind", kind), ("colour", lambda row: ("red", "blue", "green")[row % 3])
PLAIN = lines(SIZE, COLOUR, KIND)


def with_(column: Callable[[int], object], name: str = "odd", **settings: Any) -> str:
    """Return a plain table with an odd column in the middle."""
    return lines(SIZE, (name, column), KIND, **settings)


def once(odd: object, usual: Callable[[int], object] = size) -> Callable[[int], object]:
    """Return a column in which one value is odd."""
    return lambda row: odd if row == 5 else usual(row)


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


REFUSED: dict[str, tuple[str | bytes, dict[str, Any], str]] = {
    "empty": ("", {}, "it is empty. Needed: a line of names"),
    "blank": ("\n \n", {}, "it is empty"),
    "names alone": ("size,kind\n", {}, "rows: 0. Needed: 10 or more"),
    "one row": ("size,kind\n1,cat\n", {}, "rows: 1. Needed: 10 or more"),
    "no names": (
        PLAIN.partition("\n")[2].replace("red", "1"),
        {},
        r"type: '\+data.read_csv.names=\[x1,x2,x3\]'",
    ),
    "a longer line": (PLAIN + "1,2,3,4,5\n", {}, "it cannot be read .Expected 3 fields in line 26, saw 5"),
    "a shorter line": (
        PLAIN + "1,red\n",
        {},
        r"target kind is blank in rows \(1\), first in row 25 after the names",
    ),
    "a target with decimal commas": (
        lines(SIZE, ("kind", lambda r: f"{r},5"), sep=";"),
        {"regression": True},
        "column kind holds '0,5', which is no plain number. .* 'data.read_csv.decimal=\",\"'",
    ),
    "more fields than names": (PLAIN.replace(",colour", ""), {}, "2 names, but 3 fields in the line after"),
    "lines before the names": ("Report of today\n" + PLAIN, {}, r"type: \+data.read_csv.skiprows=1"),
    "a name twice": (PLAIN.replace("colour", "size"), {}, "two columns have the name size"),
    "spaces between fields": (
        PLAIN.replace(",", " "),
        {},
        "another delimiter, as in: 'data.read_csv.sep=\" \"'",
    ),
    "another encoding": (with_(lambda r: "éß"[r % 2]).encode("cp1252"), {}, "data.read_csv.encoding=cp1252"),
    "no such encoding": (PLAIN, {"read_csv": {"encoding": "utf-9"}}, "unknown encoding: utf-9"),
    "no such option": (PLAIN, {"read_csv": {"delim": ";"}}, "Needed: what pandas.read_csv takes"),
    "bytes of something else": (b"\x89PNG\r\n\x1a\n\x00\xff\x00" * 20, {}, "Needed: its encoding"),
    "decimal commas": (with_(lambda r: f"{r},5", sep=";"), {}, "type: 'data.read_csv.decimal=\",\"'"),
    "thousands": (
        with_(lambda r: f'"{r + 1},{100 + r}"'),
        {},
        "between thousands: 'data.read_csv.thousands=\",\"'",
    ),
    "a currency": (with_(lambda r: f"${r}.50"), {}, r"column odd holds '\$0.50', which is no plain number"),
    "percents": (with_(lambda r: f"{r} %"), {}, "column odd holds '0 %', which is no plain number"),
    "dates": (
        with_(lambda r: f"2024-01-{r + 1:02}"),
        {},
        r"column odd holds dates, .* type: 'data.drop=\[odd\]'",
    ),
    "dates with dots": (with_(lambda r: f"{r + 1}.1.2024"), {}, "column odd holds dates, such as 1.1.2024"),
    "times": (with_(lambda r: f"2024-01-{r + 1:02} 10:30:00"), {}, "column odd holds dates"),
    "an identifier": (
        with_(lambda r: f"id{r}"),
        {},
        r"identifier or a free text. .* type: 'data.drop=\[odd\]'",
    ),
    "a text among numbers": (
        with_(once("unknown")),
        {},
        r"type: '\+data.read_csv.na_values=\[unknown\]' data.missing",
    ),
    "a missing number": (
        with_(once("")),
        {},
        r"missing in odd \(1\); first in row 6 .* data.missing=mean",
    ),
    "a missing category": (with_(once("", kind)), {}, r"values are missing in odd \(1\)"),
    "an infinite number": (with_(once("inf")), {}, r"type: '\+data.read_csv.na_values=\[inf,-inf\]'"),
    "nothing but the target": (lines(KIND), {}, "no column is left to learn from"),
    "nothing that varies": (
        lines(("size", lambda r: 1), KIND),
        {},
        "no column is left to learn from. Left out: size",
    ),
    "no such target": (
        PLAIN,
        {"target": "kinds"},
        "Did you mean kind[?] .* Type for example: data.target=kind",
    ),
    "no similar target": (PLAIN, {"target": "zzz"}, "It has 3 columns: size, colour, kind."),
    "no such column to leave out": (PLAIN, {"drop": ["color"]}, "data.drop=color: .* Did you mean colour[?]"),
    "a target with blanks": (
        lines(SIZE, ("kind", once("", kind))),
        {},
        r"target kind is blank in rows \(1\), first in row 6",
    ),
    "a target of many numbers": (
        lines(SIZE, ("kind", lambda r: r / 7)),
        {},
        "type: loss=mse metrics=regression",
    ),
    "a target of texts for a regression": (
        PLAIN,
        {"regression": True},
        "leave out loss=mse metrics=regression",
    ),
    "a target that is an identifier": (
        lines(SIZE, ("kind", lambda r: f"id{r}")),
        {},
        "another text for each sample",
    ),
    "a target that is the same everywhere": (
        lines(SIZE, ("kind", lambda r: "cat")),
        {},
        "kind is cat everywhere",
    ),
    "a constant number to learn": (
        lines(SIZE, ("kind", lambda r: 1)),
        {"regression": True},
        "kind is 1 everywhere",
    ),
    "a class of one row": (lines(SIZE, ("kind", once("fox", kind))), {}, "fox has a single sample"),
    "a class that is not trained on": (
        lines(SIZE, ("kind", lambda r: "fox" if r > 21 else kind(r))),
        {"test_size": 0.5, "val_size": 0.9},
        "no sample of the class (fox|cat|dog) is in the training part",
    ),
    "no such way with what is missing": (PLAIN, {"missing": "mode"}, "needed: one of refuse, mean, median"),
    "all rows for the test": (PLAIN, {"test_size": 24}, "data.test_size=24: needed: fewer than the 24"),
}
"""Content of the file, settings, and a pattern of the message."""


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_in_one_message(name: str, tmp_path: Path) -> None:
    content, settings, message = REFUSED[name]
    with pytest.raises(ValueError, match=message) as refused:
        read(tmp_path, content, **settings)
    assert "\n" not in str(refused.value)


PATHS = {
    "absent.csv": (
        FileNotFoundError,
        "there is no such file. Needed: a file with data. Type: data.path=FILE",
    ),
    "https://example.org/t.csv": (ValueError, "an address. Needed: a file here. Download it first"),
    "": (ValueError, "a folder. Needed: a file. Type for example: data.path=.*table.csv"),
    "book.xlsx": (ValueError, "a .xlsx file. Needed: CSV, .* type: data.path=.*book.csv"),
    "table.parquet": (ValueError, "Parquet|pyarrow"),
}


@pytest.mark.parametrize("name", PATHS)
def test_paths_that_lead_to_no_table(name: str, tmp_path: Path) -> None:
    for written in ("table.csv", "book.xlsx", "table.parquet"):
        (tmp_path / written).write_bytes(PLAIN.encode())
    error, message = PATHS[name]
    path = name if "://" in name else str(tmp_path / name)
    with pytest.raises(error, match=message):
        Table(**SETTINGS | {"path": path}).setup()


def read(folder: Path, content: str | bytes, **settings: Any) -> Table:
    """Write a table, and read it as data."""
    packed = isinstance(content, bytes) and content.startswith(b"\x1f\x8b")
    path = folder / ("table.csv.gz" if packed else "table.csv")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    options = SETTINGS["read_csv"] | settings.pop("read_csv", {})
    data = Table(**SETTINGS | settings | {"path": str(path), "read_csv": options})
    data.setup()
    return data


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


@pytest.mark.parametrize(
    "name", ["size", "my size", "größe", "a,b", 'a "b"', "it's", "2019", "(x)", "back\\slash", ";"]
)
def test_what_a_message_says_to_type_can_be_typed(name: str) -> None:
    for in_list in (False, True):
        (argument,) = shlex.split(typed("data.drop", name, in_list=in_list))
        value = OverridesParser.create().parse_override(argument).value()
        assert (value if in_list else [value]) == [name]


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
