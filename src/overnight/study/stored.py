"""Records read with suspicion: what is half-written, damaged or foreign is named, with the reason."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, ValidationError

from overnight.records.printable import printable_json
from overnight.records.record import RECORD_FILE, STATUSES, find_runs


class Part(BaseModel, extra="allow", strict=True, allow_inf_nan=False):
    """A part of a record, of which only the keys that are used here are checked."""


class _Failure(Part):
    message: str


class _Model(Part):
    parameters: int


class _Data(Part):
    train: int | None = None
    val: int | None = None
    test: int | None = None
    samples: str | None = None


class Epoch(Part):
    """The metrics of an epoch under the names they were logged by; None where one was not measured."""

    __pydantic_extra__: dict[str, float | None]
    epoch: int


class Stored(Part):
    """The keys of a record that are read here; a run.json without them is another program's."""

    version: Literal[2] = Field(alias="schema")
    name: str
    status: Annotated[str, Field(pattern=f"^({'|'.join(STATUSES)})$")]
    error: _Failure | None
    fingerprint: str | None
    command: str | None = None
    overrides: list[str]
    choices: dict[str, Any]
    config: dict[str, Any] | None
    interpolated: list[str] | None
    metric: str | None
    mode: Literal["max", "min"] | None
    model: _Model | None
    history: list[Epoch]
    best: Epoch | None
    checked: bool | str | None
    checkpoint: str | None
    seconds: float | None
    data: _Data | None
    sources: dict[str, str] | None = None


def read_all(directory: str | Path) -> dict[str, Stored | str]:
    """Return, by the folder of each run at or below the directory, its record, or why it cannot be read.

    Raises:
        FileNotFoundError: there is no such directory.
    """
    if Path(directory).is_file():
        raise FileNotFoundError(f"{directory} is a file. Needed: the folder that it is in, or a sweep's")
    if not Path(directory).is_dir():
        raise FileNotFoundError(
            f"{directory}: there is no such folder. Needed: a run's or a sweep's. "
            f"Type for example: python report.py outputs/sweeps/optimizers"
        )
    return {str(path): read(path) for path in find_runs(Path(directory))}


def records(directory: str | Path) -> Iterator[tuple[str, Stored]]:
    """Return every record that can be read, with its folder."""
    return ((path, record) for path, record in read_all(directory).items() if isinstance(record, Stored))


def read(directory: Path) -> Stored | str:
    """Return the record in this folder, or the reason why it cannot be read."""
    try:
        text = (directory / RECORD_FILE).read_text(encoding="utf-8", errors="replace")
        return Stored.model_validate_json(printable_json(text))
    except OSError as error:
        return str(error.strerror)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))
