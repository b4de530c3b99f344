"""A fixture that runs the entry scripts, and the overrides that make a run short. Loaded as a plugin."""

import os
import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from fcnlab import data, fashion_mnist

ROOT = Path(__file__).parents[1]
SHORT = [
    "data=synthetic",
    "data.train_size=600",
    "data.test_size=200",
    "data.val_size=100",
    "trainer=cpu",
    "trainer.max_epochs=2",
]


class Result(NamedTuple):
    """What a command left: its exit status and what it printed."""

    status: int
    stdout: str
    stderr: str


Command = Callable[..., Result]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Run an entry script with arguments, in a folder of its own; in this process, so as to import once."""

    def run(script: str, *arguments: str) -> Result:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("FCNLAB_DATA", os.environ.get("FCNLAB_DATA", str(ROOT / "data")))
        monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
        options_first = sorted(arguments, key=lambda argument: not argument.startswith("-"))
        monkeypatch.setattr(sys, "argv", [str(ROOT / script), *options_first])
        status = 0
        capfd.readouterr()
        try:
            runpy.run_path(str(ROOT / script), run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
            sys.stderr.write(end.code if isinstance(end.code, str) else "")
        return Result(status, *capfd.readouterr())

    return run


@pytest.fixture
def unread_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if any data is read."""

    def read(*_: object) -> None:
        pytest.fail("data was read")

    monkeypatch.setattr(data, "synthesize", read)
    monkeypatch.setattr(fashion_mnist, "load", read)
