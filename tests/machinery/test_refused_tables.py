"""Tables that cannot be learned from: each is refused in one message."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from overnight.data.files import typed
from overnight.data.tables import Table
from own_tables import KIND, PLAIN, SETTINGS, SIZE, kind, lines, once, read, with_

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
    "a name twice but for a space": (
        "Report\n" + PLAIN.replace("size,colour", "size,size "),
        {"read_csv": {"skiprows": 1}},
        "two columns have the name size",
    ),
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


@pytest.mark.parametrize(
    "name", ["size", "my size", "größe", "a,b", 'a "b"', "it's", "2019", "(x)", "back\\slash", ";"]
)
def test_what_a_message_says_to_type_can_be_typed(name: str) -> None:
    for in_list in (False, True):
        (argument,) = shlex.split(typed("data.drop", name, in_list=in_list))
        value = OverridesParser.create().parse_override(argument).value()
        assert (value if in_list else [value]) == [name]
