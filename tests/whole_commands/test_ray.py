"""A sweep on a real Ray: one that it starts itself, and one of two nodes on the loopback."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import ROOT, SHORT, Result, ran, started
from overnight.records.record import find_runs, read_record
from overnight.study.frames import load
from services import ray_folder, ray_nodes

LAUNCHER = "hydra/launcher=ray"


@pytest.fixture(scope="module")
def variables() -> Iterator[dict[str, str]]:
    pytest.importorskip("ray", reason="needs pip install '.[ray]'")
    with ray_folder() as its_own:
        yield its_own


def finished(stdout: str) -> list[str]:
    """Return the counts at the beginning of the lines of finished runs, in the order of printing."""
    return re.findall(r"^(\d/\d)  ", stdout, re.MULTILINE)


@pytest.fixture(scope="module")
def alone(variables: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """Sweep over six runs, of which one kills its process, on this machine."""
    folder = tmp_path_factory.mktemp("alone")
    sweep = ["-m", "optimizer=sgd", "lr=0.1,0.01", "seed=0,1,2", "task_name=alone", LAUNCHER, *SHORT]
    threads = {"OMP_NUM_THREADS": "8"}  # more than a run may take
    fault = f"+callbacks.kill={{_target_:faults.KillOnce,seed:1,marker:{folder / 'struck'}}}"
    result = ran(folder, "train.py", *sweep, fault, **variables, **threads)
    return folder / "outputs" / "sweeps" / "alone", result


@pytest.mark.ray
def test_a_run_whose_process_is_killed_costs_no_other(alone: tuple[Path, Result]) -> None:
    sweep, result = alone
    assert result.status == 1, result.stderr
    assert sorted(load(sweep)["status"]) == [*["completed"] * 5, "failed"]
    why = "its Ray task ended with WorkerCrashedError: The worker died unexpectedly while executing this task"
    (told,) = re.findall(r"^FAILED .*seed.*?: (.*) \(log: .*train.log\)$", result.stdout, re.MULTILINE)
    assert told == why


@pytest.mark.ray
def test_the_terminal_shows_a_line_for_each_run_and_nothing_of_ray(alone: tuple[Path, Result]) -> None:
    _, result = alone
    assert finished(result.stdout) == [f"{number}/6" for number in range(1, 7)]
    assert not re.findall(r"raylet|pid=|RAY_|INFO|WARNING", result.stdout)
    assert not result.stderr


@pytest.mark.ray
def test_a_run_has_as_many_threads_as_processors(alone: tuple[Path, Result]) -> None:
    sweep, _ = alone
    records = [read_record(folder) for folder in find_runs(sweep)]
    ran_there = [record for record in records if record and record["status"] != "failed"]
    assert {record["environment"]["threads"] for record in ran_there} == {1}


@pytest.mark.ray
def test_a_sweep_runs_on_all_nodes_of_a_cluster_and_tries_again_what_was_killed(
    variables: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "nodes").mkdir()
    callbacks = [
        f"+callbacks.witness={{_target_:services.Witness,folder:{tmp_path / 'nodes'}}}",
        f"+callbacks.kill={{_target_:faults.KillOnce,seed:1,marker:{tmp_path / 'struck'}}}",
        "retries=1",
    ]
    its_own = variables | {"RAY_AUTH_MODE": "token"}
    with ray_nodes(tmp_path / "ray.log", **its_own, PYTHONPATH=str(ROOT / "tests" / "support")) as address:
        swept = ["-m", *SHORT, "data.val_size=100,90,700", "seed=0,1", "optimizer=sgd", "task_name=both"]
        at = f"hydra.launcher.ray.init.address={address}"
        result = ran(tmp_path, "train.py", *swept, LAUNCHER, *callbacks, at, **its_own)
    assert result.status == 1, result.stderr
    runs = (
        load(tmp_path / "outputs" / "sweeps" / "both")
        .set_index(["data.val_size", "seed"])["status"]
        .to_dict()
    )
    completed = dict.fromkeys([(100, 0), (100, 1), (90, 0), (90, 1)], "completed")
    assert runs == completed | {(700, 0): "failed", (700, 1): "failed"}
    assert (tmp_path / "struck").exists()
    nodes = {path.name for path in (tmp_path / "nodes").iterdir()}
    assert len(nodes) == 2  # Ray calls the first by the machine's own address
    assert "127.0.0.2" in nodes
    assert finished(result.stdout) == [f"{number}/6" for number in range(1, 7)]


@pytest.mark.ray
def test_a_sweep_that_no_node_can_run_says_what_it_waits_for(
    variables: dict[str, str], tmp_path: Path
) -> None:
    sweep = ["-m", "seed=0,1", LAUNCHER, *SHORT, "hydra.launcher.ray.remote.num_gpus=64"]
    process = started(tmp_path, "train.py", *sweep, **variables)
    assert process.stdout
    line = next(line for line in process.stdout if "waiting" in line)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert "no node of this Ray has 1 CPU, 64 GPU" in line
    assert process.returncode == 130


REFUSED = {
    "+hydra.launcher.ray.init.nope=1": "hydra.launcher.ray.init: Unknown keyword argument(s): nope",
    "+hydra.launcher.ray.remote.nope=1": "hydra.launcher.ray.remote: Invalid option keyword nope",
    "hydra.launcher.ray.init.address=127.0.0.1:1": "no Ray answers",
    "hydra.launcher.ray.init.address=auto": "Could not find any running Ray instance",
}


@pytest.mark.ray
@pytest.mark.usefixtures("variables")
@pytest.mark.parametrize(("override", "message"), REFUSED.items(), ids=REFUSED.keys())
def test_what_ray_refuses_ends_in_one_message(override: str, message: str, tmp_path: Path) -> None:
    with ray_folder() as variables:
        result = ran(tmp_path, "train.py", "-m", "seed=0,1", LAUNCHER, *SHORT, override, **variables)
    assert result.status == 1
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
