"""A sweep looked at from another terminal."""

import os
import re
import signal
from pathlib import Path

import pytest

from commands import SHORT, Command, ran, started
from overnight.records import sweep_state
from overnight.records.record import find_runs


def test_a_finished_sweep(command: Command, tmp_path: Path) -> None:
    command(
        "train.py", *SHORT, "-m", "optimizer=sgd", "lr=0.1,1e10", "data.val_size=100,700", "task_name=mixed"
    )
    for arguments in ([], ["outputs/sweeps/mixed"], ["mixed"]):
        shown = command("status.py", *arguments)
        assert shown.status == 0
        assert "1 completed, 1 diverged, 2 failed, 0 running, 0 left of 4" in shown.stdout
        assert "data.val_size=700" in shown.stdout
        assert "task_name=mixed" in shown.stdout
    sweep = tmp_path / "outputs" / "sweeps" / "mixed"
    completed, other, *_ = sorted(sweep.glob("*/run.json"))
    completed.unlink()
    other.write_text("{")
    shown = command("status.py", "mixed")
    assert "2 left of 4" in shown.stdout
    assert f"damaged: outputs/sweeps/mixed/{other.parent.name}/run.json (" in shown.stdout
    assert "to go on after an interruption:" in shown.stdout


def test_a_sweep_that_begins_again_after_nothing_but_failures(command: Command, tmp_path: Path) -> None:
    assert command("train.py", *SHORT, "-m", "data.val_size=700", "task_name=failed").status == 1
    sweep_state.begin(tmp_path / "outputs" / "sweeps" / "failed", 2, "python train.py -m")
    shown = command("status.py", "failed")
    assert (shown.status, shown.stderr) == (0, "")
    assert "0 failed, 0 running, 2 left of 2" in shown.stdout


@pytest.mark.parametrize("arguments", [[], ["nowhere"]])
def test_where_there_is_no_sweep_it_says_so(arguments: list[str], command: Command) -> None:
    shown = command("status.py", *arguments)
    assert shown.status == 1
    assert "there is no sweep here" in shown.stderr


@pytest.mark.slow
def test_a_running_sweep_and_then_a_killed_one(tmp_path: Path) -> None:
    sweep = ["-m", *SHORT, "trainer.max_epochs=10000", "seed=0,1", "task_name=long"]
    process = started(tmp_path, "train.py", *sweep)
    first = tmp_path / "outputs" / "sweeps" / "long"
    while not list(first.glob("*/checkpoints/last.ckpt")):
        assert process.poll() is None
    during = ran(tmp_path, "status.py").stdout
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    after = ran(tmp_path, "status.py").stdout
    assert "0 failed, 1 running, 1 left of 2" in during
    assert re.search(rf"^running: .*seed=0.* \(process {process.pid} on ", during, re.MULTILINE)
    assert "0 failed, 0 running, 2 left of 2" in after
    assert re.search(r"^cut off: .*seed=0", after, re.MULTILINE)
    assert find_runs(first) == []
