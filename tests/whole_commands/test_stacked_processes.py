"""Groups of a stacked sweep side by side, in processes: what they leave, and how they die."""

import json
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

import pytest

from commands import Command, result, started
from stacked_sweeps import SIX, STACKED, SWEEP, approximate, recorded

SIDE_BY_SIDE = [*SWEEP, "hydra.launcher.groups_at_a_time=2"]


@pytest.mark.slow
def test_groups_side_by_side_leave_what_one_after_the_other_leave(command: Command, tmp_path: Path) -> None:
    settings = [*SIX, "dropout=0.5"]
    assert command("train.py", *STACKED, *settings, "task_name=one").status == 0
    swept = command("train.py", *SIDE_BY_SIDE, *settings, "task_name=two")
    assert swept.status == 0
    assert swept.stdout.count("6 models x epochs") == 2
    assert "6/6" in swept.stdout
    assert swept.stdout.count(" left)") == 2  # the groups' estimates, and none of the runs'
    one = recorded(tmp_path, "one")
    for typed, record in recorded(tmp_path, "two").items():
        other = result(one[typed.replace("task_name=two", "task_name=one")])
        assert result(record) | {"name": None} == approximate(other | {"name": None})


@pytest.mark.slow
def test_groups_of_a_sweep_that_the_clock_names_are_stacked_in_processes(
    command: Command, tmp_path: Path
) -> None:
    assert command("train.py", *SIDE_BY_SIDE, *SIX).status == 0
    trained = {record["trained"] for record in recorded(tmp_path, "").values()}
    assert trained == {"stacked with 2 others"}


def holder(folder: Path, alive: Callable[[], bool]) -> int:
    """Wait for the first run that a process of a living sweep is at work on, and return that process."""
    while True:
        assert alive()
        for path in folder.rglob(".running"):
            with suppress(FileNotFoundError, ValueError):  # ended, or just being written
                return int(json.loads(path.read_text())["pid"])


@pytest.mark.slow
def test_a_process_that_is_killed_costs_no_run(command: Command, tmp_path: Path) -> None:
    """Kill the process of the first group that says whose it is; its runs are run the ordinary way."""
    killer = Thread(target=lambda: os.kill(holder(tmp_path, lambda: True), signal.SIGKILL), daemon=True)
    killer.start()
    swept = command("train.py", *SIDE_BY_SIDE, *SIX, "task_name=killed")
    assert swept.status == 0
    assert (
        "its process was ended by SIGKILL (out of memory?); its runs are run the ordinary way" in swept.stdout
    )
    assert {record["status"] for record in recorded(tmp_path, "killed").values()} == {"completed"}
    assert len(recorded(tmp_path, "killed")) == 6


@pytest.mark.slow
def test_ctrl_c_ends_all_processes_at_once(tmp_path: Path) -> None:
    typed = [*SIDE_BY_SIDE, *SIX, "trainer.max_epochs=1000", "task_name=stopped"]
    sweep = started(tmp_path, "train.py", *typed)
    holder(tmp_path, lambda: sweep.poll() is None)
    os.killpg(sweep.pid, signal.SIGINT)
    _, stderr = sweep.communicate()  # returns when no process has the pipe any more
    assert sweep.returncode == 130
    assert "Traceback" not in stderr
    assert not recorded(tmp_path, "stopped")


@pytest.mark.slow
def test_workers_end_quietly_when_their_parent_is_killed_and_the_same_command_goes_on(
    command: Command, tmp_path: Path
) -> None:
    typed = [*SIDE_BY_SIDE, *SIX, "trainer.max_epochs=50", "task_name=orphans"]
    sweep = started(tmp_path, "train.py", *typed)
    holder(tmp_path, lambda: sweep.poll() is None)
    sweep.kill()
    _, stderr = sweep.communicate()  # returns when no worker has the pipe any more
    assert "Traceback" not in stderr
    assert command("train.py", *typed).status == 0
    assert len(recorded(tmp_path, "orphans")) == 6


def test_a_run_by_itself_beside_the_groups_is_tried_again(command: Command, tmp_path: Path) -> None:
    """Two runs that stacked training does not know are run side by side; one is killed once."""
    fault = f"+callbacks.kill={{_target_:faults.KillOnce,seed:1,marker:{tmp_path / 'struck'}}}"
    swept = command("train.py", *SIDE_BY_SIDE, "seed=0,1", "retries=1", "task_name=again", fault)
    assert "the ordinary way: 2 (callbacks.kill)" in swept.stdout
    assert swept.status == 0
    assert (tmp_path / "struck").exists()
    assert len(recorded(tmp_path, "again")) == 2
