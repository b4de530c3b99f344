"""A sweep whose every process is killed, again and again, and started again with the same command."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import SHORT, ran, result, started
from overnight.records.record import Record

SIDE_BY_SIDE = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.launcher.threads=1"]
LAUNCHERS = {"basic": [], "joblib": SIDE_BY_SIDE}
DEADLINE = 120  # seconds; only a sweep that hangs comes near it

Records = dict[str, Record]


def command(runs: int, *launcher: str) -> list[str]:
    """Return the arguments of a sweep of so many runs."""
    seeds = ",".join(map(str, range(runs)))
    return ["-m", f"seed={seeds}", "regularization=dropout", *SHORT, "task_name=killed", *launcher]


def sweep(folder: Path) -> Path:
    return folder / "outputs" / "sweeps" / "killed"


def records(folder: Path) -> Records:
    """Read every record; a half-written one is an error."""
    return {path.parent.name: json.loads(path.read_text()) for path in sweep(folder).glob("*/run.json")}


def kill(process: subprocess.Popen[str], due: Callable[[], bool]) -> None:
    """Kill all processes of the sweep as soon as it is due, if they have not ended before."""
    end = time.monotonic() + DEADLINE
    while not due() and process.poll() is None:
        assert time.monotonic() < end, "the sweep hangs"
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):  # it has ended, and all that it started
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Records:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert ran(folder, "train.py", *command(4)).status == 0
    return records(folder)


def equal(found: Records, expected: Records) -> bool:
    return {name: result(record) for name, record in found.items()} == {
        name: result(record) for name, record in expected.items()
    }


@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_a_sweep_killed_in_the_middle_ends_as_if_it_had_not_been(
    launcher: str, undisturbed: Records, tmp_path: Path
) -> None:
    arguments = command(4, *LAUNCHERS[launcher])
    kill(started(tmp_path, "train.py", *arguments), lambda: len(records(tmp_path)) >= 2)
    before = records(tmp_path)
    assert ran(tmp_path, "train.py", *arguments).status == 0
    assert before.items() <= records(tmp_path).items()
    assert equal(records(tmp_path), undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_ten_kills_at_random_moments_lose_nothing(launcher: str, tmp_path: Path) -> None:
    arguments = command(12, "trainer.max_epochs=8", *LAUNCHERS[launcher])
    start = time.monotonic()
    assert ran(tmp_path, "train.py", *arguments).status == 0
    life = time.monotonic() - start
    expected = records(tmp_path)
    shutil.rmtree(sweep(tmp_path))
    moments = random.Random(0)  # noqa: S311 - the same ones every time
    before: Records = {}
    for _ in range(10):
        due = time.monotonic() + moments.uniform(0, life * 0.7)
        kill(started(tmp_path, "train.py", *arguments), lambda due=due: time.monotonic() >= due)  # type: ignore[misc]
        after = records(tmp_path)
        assert before.items() <= after.items()  # nothing lost, nothing run again
        before = after
    assert ran(tmp_path, "train.py", *arguments).status == 0
    assert before.items() <= records(tmp_path).items()
    assert len(expected) == 12
    assert equal(records(tmp_path), expected)
