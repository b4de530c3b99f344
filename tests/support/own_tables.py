"""A plain table as CSV, what is odd in one, and how it is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

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


def read(folder: Path, content: str | bytes, **settings: Any) -> Table:
    """Write a table, and read it as data."""
    packed = isinstance(content, bytes) and content.startswith(b"\x1f\x8b")
    path = folder / ("table.csv.gz" if packed else "table.csv")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    options = SETTINGS["read_csv"] | settings.pop("read_csv", {})
    data = Table(**SETTINGS | settings | {"path": str(path), "read_csv": options})
    data.setup()
    return data
