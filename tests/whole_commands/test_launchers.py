"""A sweep under each local launcher, with runs that raise, diverge and die."""

import signal
from pathlib import Path
from typing import Any

import pytest

from commands import SHORT, Command, ran, started
from overnight.config.resolvers import cores
from overnight.launchers.workers import epitaph
from overnight.records.record import LAST, find_runs, read_record
from overnight.study.frames import load
from overnight.training.checkpoints import read_checkpoint

MIXED = [
    "-m",
    "optimizer=sgd",
    "seed=range(6)",
    "task_name=mixed",
    "+callbacks.raise={_target_:faults.Raise,seed:3}",
    "+callbacks.diverge={_target_:faults.Diverge,seed:4}",
    *SHORT,
]
KILL = "+callbacks.kill={_target_:faults.Kill,seed:2}"
SIDE_BY_SIDE = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


def statuses(sweep: Path) -> dict[Any, str]:
    return load(sweep).set_index("seed")["status"].to_dict()


@pytest.fixture
def mixed(remembered: Command, tmp_path: Path) -> tuple[Path, str]:
    """Sweep over six runs of which one raises, one diverges and one is killed."""
    result = remembered("train.py", *MIXED, KILL, *SIDE_BY_SIDE)
    assert result.status == 1
    return tmp_path / "outputs" / "sweeps" / "mixed", result.stdout


def test_what_raises_diverges_or_dies_costs_its_own_run_only(mixed: tuple[Path, str]) -> None:
    sweep, _ = mixed
    ended_badly = {2: "failed", 3: "failed", 4: "diverged"}
    assert statuses(sweep) == dict.fromkeys(range(6), "completed") | ended_badly


def test_a_run_whose_process_died_has_its_checkpoint_to_go_on_from(mixed: tuple[Path, str]) -> None:
    sweep, _ = mixed
    (died,) = (path for path in find_runs(sweep) if path.name.endswith("seed=2"))
    assert read_checkpoint(died / LAST)["history"][-1]["epoch"] == 1


@pytest.mark.slow
def test_in_one_process_a_kill_ends_the_sweep_and_the_same_command_goes_on(
    command: Command, tmp_path: Path
) -> None:
    once = f"+callbacks.kill={{_target_:faults.KillOnce,seed:5,marker:{tmp_path / 'struck'}}}"
    sweep = tmp_path / "outputs" / "sweeps" / "mixed"
    assert ran(tmp_path, "train.py", *MIXED, once).status == -signal.SIGKILL
    assert len(statuses(sweep)) == 5
    result = command("train.py", *MIXED, once)
    assert result.status == 1
    assert statuses(sweep) == dict.fromkeys(range(6), "completed") | {3: "failed", 4: "diverged"}
    assert result.stdout.count("(recorded before)") == 4  # what failed is tried again


@pytest.mark.slow
def test_the_same_command_again_tries_again_what_failed_and_only_that(
    command: Command, tmp_path: Path
) -> None:
    faults = [
        f"+callbacks.raise={{_target_:faults.RaiseOnce,seed:1,marker:{tmp_path / 'struck'}}}",
        "+callbacks.diverge={_target_:faults.Diverge,seed:2}",
    ]
    sweep = [*SHORT, "-m", "optimizer=sgd", "seed=0,1,2", "task_name=again", *faults]
    assert command("train.py", *sweep).status == 1
    second = command("train.py", *sweep)
    assert second.status == 0
    assert second.stdout.count("(recorded before)") == 2
    ended = {0: "completed", 1: "completed", 2: "diverged"}
    assert statuses(tmp_path / "outputs" / "sweeps" / "again") == ended


def test_the_table_names_each_failed_run_with_its_reason_and_its_log(mixed: tuple[Path, str]) -> None:
    sweep, stdout = mixed
    runs = load(sweep)
    failed = runs[runs["status"] == "failed"]
    assert set(failed["error"]) == {
        "its process was ended by SIGKILL (out of memory?)",
        "the disk is on fire",
    }
    for run in failed.itertuples():
        log = f"outputs/sweeps/mixed/{run.name}/train.log"
        assert f"FAILED {run.name}: {run.error} (log: {log})" in stdout
        assert (sweep.parents[2] / log).is_file()


def test_every_run_has_its_share_of_the_cores_and_no_more(mixed: tuple[Path, str]) -> None:
    sweep, _ = mixed
    records = [record for path in find_runs(sweep) if (record := read_record(path))]
    threads = {record["environment"]["threads"] for record in records if record["status"] != "failed"}
    assert threads == {max(1, cores() // 2)}


@pytest.mark.parametrize(("exitcode", "words"), [(3, "status 3"), (-9, "SIGKILL"), (-15, "SIGTERM")])
def test_how_a_process_ended_is_said_in_words(exitcode: int, words: str) -> None:
    assert words in epitaph(exitcode)


@pytest.mark.slow
def test_a_killed_run_is_tried_again_if_asked(tmp_path: Path) -> None:
    fault = f"+callbacks.kill={{_target_:faults.KillOnce,seed:1,marker:{tmp_path / 'struck'}}}"
    sweep = ["-m", "seed=0,1", "retries=1", "task_name=again", *SHORT, fault, *SIDE_BY_SIDE]
    assert ran(tmp_path, "train.py", *sweep).status == 0
    assert (tmp_path / "struck").exists()
    assert set(load(tmp_path / "outputs" / "sweeps" / "again")["status"]) == {"completed"}


def test_a_run_that_raised_is_tried_again_if_asked(command: Command, tmp_path: Path) -> None:
    fault = f"+callbacks.raise={{_target_:faults.RaiseOnce,seed:0,marker:{tmp_path / 'struck'}}}"
    result = command("train.py", *SHORT, fault, "retries=1", "task_name=again")
    assert result.status == 0
    assert "will be tried again (1 left): the disk is on fire" in result.stdout


def test_what_no_retry_can_cure_is_tried_once(command: Command) -> None:
    result = command("train.py", *SHORT, "lr=-1", "retries=3")
    assert result.status == 1
    assert "tried again" not in result.stdout


@pytest.mark.slow
def test_a_sweep_stops_at_the_first_failure_if_asked(command: Command, tmp_path: Path) -> None:
    fault = "+callbacks.raise={_target_:faults.Raise,seed:1}"
    result = command("train.py", *SHORT, fault, "-m", "seed=0,1,2", "on_failure=raise", "task_name=stop")
    assert result.status == 1
    assert "stopped at the first failed run" in result.stdout
    assert statuses(tmp_path / "outputs" / "sweeps" / "stop") == {0: "completed", 1: "failed"}
    again = [*SHORT, fault, "-m", "seed=0,1,2", "task_name=stop"]
    assert command("train.py", *again).status == 1
    ended = {0: "completed", 1: "failed", 2: "completed"}
    assert statuses(tmp_path / "outputs" / "sweeps" / "stop") == ended


@pytest.mark.slow
def test_the_same_sweep_twice_at_once_trains_every_run_once(tmp_path: Path) -> None:
    sweep = ["-m", "seed=0,1,2", "trainer.max_epochs=20", "task_name=both", *SHORT]
    processes = [started(tmp_path, "train.py", *sweep) for _ in range(2)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    logs = [path.read_text() for path in (tmp_path / "outputs" / "sweeps" / "both").glob("*/train.log")]
    assert [log.count("epoch 0:") for log in logs] == [1, 1, 1]
