"""Files that a user names: what is no file with data is refused, and what has changed is read anew."""

import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ARRAYS = {".npz", ".npy"}
SPREADSHEETS = {".xlsx", ".xls", ".ods"}


def refuse_path(path: Path) -> None:
    """Refuse a path where nothing is (FileNotFoundError), or no file that could hold a table (ValueError)."""
    if ":/" in str(path)[1:]:
        raise ValueError(f"data.path={path}: an address. Needed: a file here. Download it first")
    if not path.exists():
        raise FileNotFoundError(
            f"data.path={path}: there is no such file. Needed: a file with data. Type: data.path=FILE, or in "
            f"eval.py: data_root=FILE"
        )
    if path.is_dir():
        tables = sorted(
            each.name for each in path.iterdir() if each.suffix in {".csv", ".tsv", ".gz", ".parquet"}
        )
        example = path / (tables or ["FILE.csv"])[0]
        raise ValueError(f"data.path={path}: a folder. Needed: a file. Type for example: data.path={example}")
    if path.suffix in ARRAYS:
        raise ValueError(f"data.path={path}: arrays. Needed: a table. Type: data=arrays data.path={path}")
    if path.suffix in SPREADSHEETS or path.suffix == ".zip":
        raise ValueError(
            f"data.path={path}: a {path.suffix} file. Needed: CSV, .gz with a CSV in it, or Parquet. Save "
            f"the sheet as CSV, or unpack it, and type: data.path={path.with_suffix('.csv')}"
        )


def refuse_no_arrays(path: Path) -> None:
    """Refuse a path where nothing is (FileNotFoundError), or no file with several arrays (ValueError)."""
    if path.suffix == ".npy" and path.is_file():
        raise ValueError(
            f"data.path={path}: one array. Needed: the folder with features.npy and targets.npy, or an .npz "
            f"with both. Type for example: data.path={path.parent}"
        )
    if path.suffix != ".npz" or not path.exists():
        refuse_path(path)
        raise ValueError(
            f"data.path={path}: not an .npz file. Needed: one, or a folder with features.npy and "
            f"targets.npy; or for a table: data=table data.path={path}"
        )


@contextmanager
def of_file(path: Path) -> Iterator[None]:
    """Let a ``ValueError`` say of which file it is."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"data.path={path}: {error}") from error


def version(path: Path) -> tuple[int, ...]:
    """Return sizes and times of change of a file, or of the files in a folder; () if there is none."""
    files = sorted(path.iterdir()) if path.is_dir() else [path] if path.exists() else []
    return tuple(number for file in files for number in (file.stat().st_size, file.stat().st_mtime_ns))


def typed(key: str, name: str, *, in_list: bool = False) -> str:
    """Return a setting as it is typed: Hydra needs quotes around many signs, and the shell needs its own."""
    escaped = name.replace('"', '\\"')
    word = name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", name) else f'"{escaped}"'
    return shlex.quote(f"{key}=[{word}]" if in_list else f"{key}={word}")
