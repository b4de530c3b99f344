"""A sweep under each local launcher, with runs that raise, diverge and die."""

from pathlib import Path
from typing import Any

import pytest

from commands import SHORT, Command, ran, started
from fcnlab import ledger
from fcnlab.launchers.processes import epitaph
from fcnlab.resolvers import cores
from fcnlab.study.frames import load

FAULTS = [
    "+callbacks.kill={_target_:faults.Kill,seed:2}",
    "+callbacks.raise={_target_:faults.Raise,seed:3}",
]
SIDE_BY_SIDE = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


def statuses(sweep: Path) -> dict[Any, str]:
    return load(sweep).set_index(["lr", "seed"])["status"].to_dict()


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Sweep over twelve runs of which one raises, one is killed and two diverge; twice."""
    folder = tmp_path_factory.mktemp("mixed")
    swept = ["-m", "optimizer=sgd", "lr=0.1,1e10", "seed=0,1,2,3,4,5", "task_name=mixed"]
    first = ran(folder, "train.py", *swept, *SHORT, *FAULTS, *SIDE_BY_SIDE)
    assert first.status == 1
    return folder / "outputs" / "sweeps" / "mixed", first.stdout


def test_what_raises_diverges_or_dies_costs_its_own_run_only(mixed: tuple[Path, str]) -> None:
    sweep, _ = mixed
    expected = {(0.1, seed): "completed" for seed in range(6)} | {
        (1e10, seed): "diverged" for seed in range(6)
    }
    assert statuses(sweep) == expected | {(0.1, 2): "failed", (0.1, 3): "failed"}


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
    records = [record for path in ledger.find(sweep) if (record := ledger.read(path))]
    threads = {record["environment"]["threads"] for record in records if record["status"] != "failed"}
    assert threads == {max(1, cores() // 2)}


@pytest.mark.parametrize(("exitcode", "words"), [(3, "status 3"), (-9, "SIGKILL"), (-15, "SIGTERM")])
def test_how_a_process_ended_is_said_in_words(exitcode: int, words: str) -> None:
    assert words in epitaph(exitcode)


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


def test_a_sweep_stops_at_the_first_failure_if_asked(command: Command, tmp_path: Path) -> None:
    fault = "+callbacks.raise={_target_:faults.Raise,seed:1}"
    result = command("train.py", *SHORT, fault, "-m", "seed=0,1,2,3", "on_failure=raise", "task_name=stop")
    assert result.status == 1
    assert "stopped at the first failed run" in result.stdout
    assert sorted(load(tmp_path / "outputs" / "sweeps" / "stop")["status"]) == ["completed", "failed"]
    again = [*SHORT, fault, "-m", "seed=0,1,2,3", "task_name=stop"]
    assert command("train.py", *again).status == 1
    assert list(load(tmp_path / "outputs" / "sweeps" / "stop")["status"]).count("completed") == 3


def test_the_same_sweep_twice_at_once_trains_every_run_once(tmp_path: Path) -> None:
    sweep = ["-m", "seed=0,1,2", "trainer.max_epochs=20", "task_name=both", *SHORT]
    processes = [started(tmp_path, "train.py", *sweep) for _ in range(2)]
    for process in processes:
        process.communicate()
        assert process.returncode == 0
    logs = [path.read_text() for path in (tmp_path / "outputs" / "sweeps" / "both").glob("*/train.log")]
    assert [log.count("epoch 0:") for log in logs] == [1, 1, 1]
