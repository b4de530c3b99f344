"""Processes that do one task after another: what they return, tell and raise, and how they die."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from overnight.launchers.workers import Hear, Start, workers


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Two processes."""
    with workers(2, 1) as started:
        yield started


def squared(number: int, tell: Hear) -> tuple[int, int]:
    """Tell the number before its square is returned, with the process."""
    tell(number)
    return number**2, os.getpid()


def refuse(_: Hear) -> None:
    raise ValueError("not today")


def wait_for_ever(_: Hear) -> None:
    Event().wait()


def die(_: Hear) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_results_come_in_order_and_what_is_told_is_heard(start: Start) -> None:
    heard: list[Any] = []
    results = [wait() for wait in start([partial(squared, number) for number in range(10)], heard.append)]
    assert [result for result, _ in results] == [number**2 for number in range(10)]
    assert sorted(heard) == list(range(10))
    assert os.getpid() not in {process for _, process in results}
    assert len({process for _, process in results}) <= 2


def test_what_a_task_raises_is_raised_and_ends_no_process(start: Start) -> None:
    before = {wait()[1] for wait in start([partial(squared, number) for number in range(4)], print)}
    for wait in start([refuse, refuse], print):
        with pytest.raises(ValueError, match="not today"):
            wait()
    after = {wait()[1] for wait in start([partial(squared, number) for number in range(4)], print)}
    assert after & before


UNFINISHED = """
from overnight.launchers import workers
workers.PRELOADED = "imports_for_ever"
workers.get_ready()
"""


def test_what_is_still_imported_at_the_end_holds_up_nobody(tmp_path: Path) -> None:
    """A sweep that is refused: who reads what it writes must not wait for the imports of its processes."""
    (tmp_path / "imports_for_ever.py").write_text("import threading; threading.Event().wait()")
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = os.environ | {"PYTHONPATH": path}
    script = [sys.executable, "-c", UNFINISHED]
    subprocess.run(script, env=environment, capture_output=True, timeout=60, check=True)


def test_leaving_ends_what_is_under_way_and_what_is_just_starting() -> None:
    with workers(1, 1) as start:
        (wait,) = start([wait_for_ever], print)
    with pytest.raises(ChildProcessError, match="SIGTERM"):
        wait()


def test_one_that_dies_is_replaced(start: Start) -> None:
    *_, killed, last = start([partial(squared, 1), die, partial(squared, 2)], print)
    with pytest.raises(ChildProcessError, match="SIGKILL"):
        killed()
    assert last()[0] == 4


def test_what_the_hearer_raises_is_raised_and_no_answer_is_left_for_the_next(start: Start) -> None:
    def deaf(_: Any) -> None:
        raise OSError("the terminal is gone")

    (wait,) = start([partial(squared, 3)], deaf)
    with pytest.raises(OSError, match="the terminal is gone"):
        wait()
    (wait,) = start([partial(squared, 4)], print)
    assert wait()[0] == 16
