"""A plugin: no GPU for tests that need none, and a fixture that runs the entry scripts, with short runs."""

import gc
import logging
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from composing import compose_once, merge_once, read_once
from overnight.records.identity import COSMETIC, without_keys
from overnight.records.record import Record

ROOT = Path(__file__).parents[2]
CONF = ROOT / "conf"
SHORT = [
    "data=synthetic",
    "data.train_size=600",
    "data.test_size=200",
    "data.val_size=100",
    "trainer=cpu",
    "trainer.max_epochs=2",
]


def pytest_configure(config: pytest.Config) -> None:
    """Let tests write where they type, and hide the GPUs from those that do not ask for one.

    Both come before anything imports torch or starts a process. Garbage is looked for more rarely than usual:
    among the objects of so many commands in one process it would take a tenth of the time.
    """
    gc.set_threshold(100_000, 20, 100)
    os.environ["OVERNIGHT_OUTPUTS"] = "outputs"  # of the folder in which a test types its commands
    if config.getoption("markexpr") != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def pytest_collection_finish() -> None:
    """Take what was imported out of the search for garbage: statsmodels starts one for each correction."""
    read_once()
    merge_once()
    compose_once()
    gc.freeze()


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
        monkeypatch.setattr(sys, "argv", [str(ROOT / script), *arguments])
        status = 0
        capfd.readouterr()
        try:
            runpy.run_path(str(ROOT / script), run_name="__main__")
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else int(end.code is not None)
            sys.stderr.write(end.code if isinstance(end.code, str) else "")
        for handler in logging.root.handlers[:]:
            if isinstance(handler, logging.FileHandler):  # a line of the next test would open it again
                logging.root.removeHandler(handler)
                handler.close()
        return Result(status, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def kept() -> dict[tuple[str, ...], tuple[Path, Result]]:
    """Return where each command of the module that is the start of several tests left its files."""
    return {}


@pytest.fixture
def remembered(
    command: Command,
    kept: dict[tuple[str, ...], tuple[Path, Result]],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Command:
    """Run what a test begins with once for all tests of the module; each gets a copy of the files."""

    def run(script: str, *arguments: str) -> Result:
        monkeypatch.chdir(tmp_path)
        known = (script, *arguments)
        if known not in kept:
            ran = command(script, *arguments)
            folder = tmp_path_factory.mktemp("kept")
            shutil.copytree(tmp_path, folder, dirs_exist_ok=True)
            kept[known] = (folder, ran)
            return ran
        folder, ran = kept[known]
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        return ran

    return run


def environment() -> dict[str, str]:
    """Return the variables of a process of its own: one thread, and errors as a user sees them."""
    kept = {key: value for key, value in os.environ.items() if key != "HYDRA_FULL_ERROR"}
    return kept | {"PYTHONPATH": str(ROOT / "tests" / "support"), "OMP_NUM_THREADS": "1"}


def started(folder: Path, script: str, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    """Start an entry script in a folder, in a process group of its own; tests/ is on its path."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / script), *arguments],
        cwd=folder,
        env=environment() | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def ran(folder: Path, script: str, *arguments: str, **variables: str) -> Result:
    """Run an entry script in a folder and in a process of its own."""
    process = started(folder, script, *arguments, **variables)
    stdout, stderr = process.communicate()
    return Result(process.returncode, stdout, stderr)


TOLD_BY_THE_CLOCK = ("seconds", "samples_per_second")
TYPED = ("command", "overrides")


def result(record: Record) -> dict[str, Any]:
    """Return what is the same in the record of the same run at another time, by another command."""
    history = [row | {"seconds": None} for row in record["history"]]
    environment = {key: value for key, value in record["environment"].items() if not key.startswith("git_")}
    config = without_keys(record["config"], COSMETIC)
    untold = dict.fromkeys((*TOLD_BY_THE_CLOCK, *TYPED))
    return record | {"history": history, "environment": environment, "config": config} | untold


def contents(root: Path) -> dict[str, tuple[int, int]]:
    """Return the size, and the time of the last change, of every file in a folder, by its name."""
    files = ((path, path.lstat()) for path in sorted(root.rglob("*")) if not path.is_dir())
    return {str(path.relative_to(root)): (stat.st_size, stat.st_mtime_ns) for path, stat in files}


def every(nth: int, values: Iterable[Any]) -> list[Any]:
    """Return the cases of a test, of which the default tests take every nth, and make test-all all."""
    return [
        pytest.param(value, id=str(value), marks=[pytest.mark.slow] if place % nth else [])
        for place, value in enumerate(values)
    ]
