"""A sweep whose every process is killed, again and again, and started again with the same command."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from commands import SHORT, Command, ran, result, started
from overnight.records.record import Record
from threads import threads

SIDE_BY_SIDE = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.launcher.threads=1"]
LAUNCHERS = {"basic": [], "joblib": SIDE_BY_SIDE}
DEADLINE = 120  # seconds; only a sweep that hangs comes near it

Records = dict[str, Record]


def typed(runs: int, *launcher: str) -> list[str]:
    """Return the arguments of a sweep of so many runs."""
    seeds = ",".join(map(str, range(runs)))
    return ["-m", f"seed={seeds}", "regularization=dropout", *SHORT, "task_name=killed", *launcher]


def sweep(folder: Path) -> Path:
    return folder / "outputs" / "sweeps" / "killed"


def records(folder: Path) -> Records:
    """Read every record; a half-written one is an error."""
    return {path.parent.name: json.loads(path.read_text()) for path in sweep(folder).glob("*/run.json")}


def kill(process: subprocess.Popen[str], due: Callable[[], bool], by: int = signal.SIGKILL) -> None:
    """Kill all processes of the sweep as soon as it is due, if they have not ended before."""
    end = time.monotonic() + DEADLINE
    while not due() and process.poll() is None:
        assert time.monotonic() < end, "the sweep hangs"
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):  # it has ended, and all that it started
        os.killpg(process.pid, by)
    process.communicate()


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Compute in this process as the sweep's own does; with other threads the last bits differ."""
    with threads(1):
        yield


def equal(found: Records, expected: Records) -> bool:
    return {name: result(record) for name, record in found.items()} == {
        name: result(record) for name, record in expected.items()
    }


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("launcher", ["basic", pytest.param("joblib", marks=pytest.mark.slow)])
def test_a_sweep_killed_in_the_middle_ends_as_if_it_had_not_been(
    launcher: str, command: Command, tmp_path: Path
) -> None:
    sweep_over = typed(3, *LAUNCHERS[launcher])
    kill(started(tmp_path, "train.py", *sweep_over), lambda: len(records(tmp_path)) >= 1)
    before = records(tmp_path)
    again = command("train.py", *sweep_over)
    assert (again.status, again.stderr) == (0, "")
    killed = records(tmp_path)
    assert before.items() <= killed.items()
    shutil.rmtree(sweep(tmp_path))
    assert command("train.py", *typed(3)).status == 0
    assert equal(killed, records(tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_ten_kills_at_random_moments_lose_nothing(launcher: str, tmp_path: Path) -> None:
    arguments = typed(12, "trainer.max_epochs=8", *LAUNCHERS[launcher])
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


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_kills_while_the_epochs_are_raised_twice_lose_nothing(launcher: str, tmp_path: Path) -> None:
    arguments = typed(4, *LAUNCHERS[launcher])
    start = time.monotonic()
    assert ran(tmp_path, "train.py", *arguments, "trainer.max_epochs=9").status == 0
    life = time.monotonic() - start
    expected = records(tmp_path)
    shutil.rmtree(sweep(tmp_path))
    moments = random.Random(0)  # noqa: S311 - the same ones every time
    for epochs in (3, 6, 9):
        longer = [*arguments, f"trainer.max_epochs={epochs}", "ckpt_path=last"]
        for by in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM):
            due = time.monotonic() + moments.uniform(life * 0.3, life * 0.8)
            kill(started(tmp_path, "train.py", *longer), lambda due=due: time.monotonic() >= due, by)  # type: ignore[misc]
        assert ran(tmp_path, "train.py", *longer).status == 0
    assert len(expected) == 4
    assert equal(records(tmp_path), expected)


@pytest.mark.slow
@pytest.mark.parametrize("launcher", LAUNCHERS)
def test_the_runs_of_a_sweep_can_be_given_more_epochs(
    launcher: str, command: Command, tmp_path: Path
) -> None:
    arguments = typed(2, *LAUNCHERS[launcher])
    command("train.py", *arguments)
    assert command("train.py", *arguments, "trainer.max_epochs=4", "ckpt_path=last").status == 0
    stretched = records(tmp_path)
    shutil.rmtree(sweep(tmp_path))
    command("train.py", *arguments, "trainer.max_epochs=4")
    assert equal(stretched, records(tmp_path))
    assert all(len(record["history"]) == 5 for record in stretched.values())
