"""A table in a file, as people's programs export them: read, or refused in one message."""

import bz2
import codecs
import csv
import gzip
import io
import lzma
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pandas as pd
from pandas.api.types import is_string_dtype

from overnight.data.files import refuse_path, typed

DELIMITERS = ",;\t|"
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
OF_THE_HEADER = {"header", "names", "skiprows", "comment"}
"""Options of pandas with which the first line need not hold the names."""
SHOWN = 10
"""Names in an example."""
FIRST_BYTES = 2**16
"""That are read to find out the encoding and the delimiter."""

Options = dict[str, Any]


def read_table(path: Path, options: Options) -> pd.DataFrame:
    """Read a CSV file, compressed or not, or a Parquet file.

    Where ``sep`` and ``encoding`` among the options of ``pandas.read_csv`` are None, they are found out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no table with a line of names and a field for each name.
    """
    refuse_path(path)
    if path.suffix == ".parquet":
        return read_parquet(path)
    try:
        return read_csv(path, options)
    except UnicodeDecodeError as error:
        raise ValueError(
            f"data.path={path}: it is not in the encoding {error.encoding}. Needed: its encoding. Type for "
            f"example: data.read_csv.encoding=cp1252 (Windows) or data.read_csv.encoding=latin-1"
        ) from error
    except (TypeError, LookupError) as error:
        raise ValueError(
            f"data.read_csv={options}: {error}. Needed: what pandas.read_csv takes. Type for example: "
            f"{typed('data.read_csv.sep', ';')}"
        ) from error
    except (csv.Error, pd.errors.ParserError, OSError, EOFError, lzma.LZMAError) as error:
        said = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise ValueError(
            f"data.path={path}: it cannot be read ({said}). Needed: as many fields in each line as in the "
            f"first, and quotes around a field that has the delimiter in it"
        ) from error


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a Parquet file, which knows its types itself; a ValueError if it is none, or without pyarrow."""
    try:
        return pd.read_parquet(path)
    except ImportError as error:
        raise ValueError(
            f"data.path={path}: pyarrow, which reads Parquet, is not installed. Type: pip install pyarrow"
        ) from error
    except (OSError, ValueError) as error:
        raise ValueError(f"data.path={path}: it cannot be read as Parquet ({error})") from error


def read_csv(path: Path, options: Options) -> pd.DataFrame:
    """Read a CSV file; names and values lose the spaces around them.

    Its first bytes tell its encoding if it is UTF-16; else it is UTF-8, with a mark of its own or without.

    Raises:
        ValueError: it is empty, has no names, or two that are the same.
    """
    with OPENERS.get(path.suffix, open)(path, "rb") as file:
        first = file.read(FIRST_BYTES)
    marked = first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    known = options | {"encoding": options.get("encoding") or ("utf-16" if marked else "utf-8-sig")}
    start = codecs.getincrementaldecoder(known["encoding"])().decode(first)
    if not start.strip():
        raise ValueError(
            f"data.path={path}: it is empty. Needed: a line of names, and a line for each sample"
        )
    known["sep"] = known.get("sep") or delimiter(start.lstrip().splitlines()[0])
    if not OF_THE_HEADER & known.keys():
        refuse_header(path, records(start, known["sep"]))
    frame = cast("pd.DataFrame", pd.read_csv(path, skipinitialspace=True, low_memory=False, **known))
    frame.columns = frame.columns.map(lambda name: str(name).strip())
    refuse_twice(path, frame.columns)
    for name in filter(lambda name: is_string_dtype(frame[name]), frame.columns):
        frame[name] = frame[name].str.strip()
    return frame


def delimiter(line: str) -> str:
    """Return the delimiter that divides a line into most fields."""
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([line], delimiter=mark))))


def records(start: str, mark: str) -> Iterator[list[str]]:
    """Yield the fields of each line that is not blank."""
    reader = csv.reader(io.StringIO(start, newline=""), delimiter=mark, skipinitialspace=True)
    return ([field.strip() for field in record] for record in reader if record)


def refuse_header(path: Path, lines: Iterator[list[str]]) -> None:
    """Refuse a first line that does not name each column once (ValueError)."""
    names, first = next(lines, []), next(lines, [])
    refuse_twice(path, filter(None, names))
    numbers = pd.to_numeric(pd.Series(names, dtype=str).str.replace(",", "."), errors="coerce").notna()
    if numbers.mean() > 1 / 2:
        few = [f"x{number}" for number in range(1, len(names) + 1)][:SHOWN]
        example = ",".join(few) + ",..." * (len(names) > SHOWN)
        raise ValueError(
            f"data.path={path}: the first line holds numbers ({', '.join(names[:3])}...) where names are "
            f"needed. If there are no names, type: '+data.read_csv.names=[{example}]'"
        )
    if first and len(first) != len(names):
        raise ValueError(
            f"data.path={path}: {len(names)} names, but {len(first)} fields in the line after them. Needed: "
            f"a name for each field; if lines before the names are no data, type: +data.read_csv.skiprows=1"
        )


def refuse_twice(path: Path, names: Iterable[str]) -> None:
    """Refuse a name that two columns have (ValueError)."""
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise ValueError(
            f"data.path={path}: two columns have the name {twice[0]}. Needed: a name of its own for each"
        )
