"""A sweep on a real Slurm: one node, set up for the tests, without accounting."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from commands import SHORT, Result, ran, started
from overnight.config.folders import SHIPPED
from overnight.records.record import STATUSES, read_record
from overnight.study.frames import load
from services import SHORT_ERRORS, MissingServiceError, Slurm, debian, slurm, until

KNOWN = """
    account additional_parameters array_parallelism comment constraint cpus_per_gpu cpus_per_task exclude
    gpus_per_node gpus_per_task gres max_num_timeout mem_gb mem_per_cpu mem_per_gpu name nodes partition qos
    setup signal_delay_s stderr_to_stdout submitit_folder tasks_per_node timeout_min
"""
LAUNCHER = "hydra/launcher=submitit_slurm"
LONG = [*SHORT, "trainer.max_epochs=60"]


def saved(folder: Path) -> bool:
    return bool(list(folder.glob("outputs/sweeps/*/*/checkpoints/last.ckpt")))


def test_the_parameters_have_the_names_that_users_of_submitit_know() -> None:
    parameters = OmegaConf.load(SHIPPED / "hydra" / "launcher" / "submitit_slurm.yaml")
    assert set(KNOWN.split()) == {str(key) for key in parameters} - {"_target_"}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Slurm]:
    pytest.importorskip("submitit", reason="needs pip install '.[slurm]'")
    try:
        tree = debian(pytestconfig.cache.mkdir("slurm"))
    except MissingServiceError as error:
        pytest.skip(str(error))
    with slurm(tree, tmp_path_factory.mktemp("slurm")) as running:
        yield running


Mixed = tuple[Path, Result, Result]


@pytest.fixture(scope="module")
def mixed(cluster: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    """Sweep over eight runs of which four fail, two diverge and one is killed; then again."""
    folder = tmp_path_factory.mktemp("mixed")
    fault = f"+callbacks.kill={{_target_:faults.KillOnce,seed:1,marker:{folder / 'struck'}}}"
    varied = ["lr=0.1,1e10", "data.val_size=100,700", "seed=0,1"]
    swept = ["-m", *SHORT, "optimizer=sgd", *varied, "task_name=mixed", LAUNCHER]
    first = ran(folder, "train.py", *swept, fault, **cluster.variables)
    (folder / "first.csv").write_bytes((folder / "outputs/sweeps/mixed/results.csv").read_bytes())
    return folder, first, ran(folder, "train.py", *swept, fault, **cluster.variables)


@pytest.mark.slurm
def test_what_raises_diverges_or_dies_costs_its_own_run_only(mixed: Mixed) -> None:
    folder, first, _ = mixed
    rows = load(folder / "outputs" / "sweeps" / "mixed")
    assert first.status == 1, first.stderr
    assert len(rows) == 8
    table = (folder / "first.csv").read_text()
    counts = {status: table.count(status) for status in STATUSES}
    assert counts == {"completed": 1, "diverged": 2, "pruned": 0, "failed": 5}


@pytest.mark.slurm
def test_the_terminal_tells_what_was_submitted_and_why_a_run_is_missing(mixed: Mixed) -> None:
    _, first, _ = mixed
    assert re.search(r"^submitted to Slurm: (\d+)_0 to \1_7$", first.stdout, re.MULTILINE)
    told = [line for line in first.stdout.splitlines() if "Slurm job" in line]
    assert ["/8 " in told[0], told[1].startswith("FAILED ")] == [True, True]  # when it ended, and in the end
    why = r"its Slurm job \d+_1 ended: FAILED; .*Killed \(its output: outputs/\S+\.out\)"
    assert [bool(re.search(why, line)) for line in told] == [True, True]
    assert "Traceback" not in first.stdout + first.stderr


@pytest.mark.slurm
def test_the_same_command_again_runs_what_failed(mixed: Mixed) -> None:
    folder, first, second = mixed
    assert second.status == 1
    runs = load(folder / "outputs" / "sweeps" / "mixed").set_index(["lr", "data.val_size", "seed"])
    assert runs["status"].to_dict() == {
        (0.1, 100, 0): "completed",
        (0.1, 100, 1): "completed",
        (1e10, 100, 0): "diverged",
        (1e10, 100, 1): "diverged",
        **{(lr, 700, seed): "failed" for lr in (0.1, 1e10) for seed in (0, 1)},
    }
    logs = "".join(path.read_text() for path in folder.rglob(".submitit/*/*.out"))
    assert logs.count("(recorded before)") == 3
    assert first.stdout != second.stdout


@pytest.mark.slurm
def test_a_preempted_run_goes_on_from_its_last_checkpoint(cluster: Slurm, tmp_path: Path) -> None:
    asked = ["hydra.launcher.cpus_per_task=2", "hydra.launcher.max_num_timeout=1", "task_name=preempted"]
    process = started(tmp_path, "train.py", "-m", "seed=0", LAUNCHER, *LONG, *asked, **cluster.variables)
    until(lambda: saved(tmp_path), "the first checkpoint")
    (number,) = cluster.ask("squeue", "--noheader", "--states=RUNNING", "--format=%i").split()
    cluster.ask("scancel", "--signal=USR2", number)
    until(lambda: "PENDING" in cluster.ask("squeue", "--noheader", "--format=%T"), "queued again")
    cluster.ask("scontrol", "update", f"JobId={number}", "StartTime=now")  # Slurm would wait two minutes
    said = process.communicate(timeout=120)
    record = read_record(next(tmp_path.glob("outputs/sweeps/*/*/run.json")).parent)
    assert record
    assert (process.returncode, record["error"]) == (0, None), said
    assert [row["epoch"] for row in record["history"]] == list(range(61))
    assert record["environment"]["threads"] == 2
    assert not list(tmp_path.rglob(".aside-*/checkpoints"))  # where a run that starts anew puts the old ones


@pytest.mark.slurm
def test_what_was_submitted_goes_on_without_the_sweep(cluster: Slurm, tmp_path: Path) -> None:
    sweep = ["-m", "seed=0,1", "task_name=left", LAUNCHER, *SHORT]
    process = started(tmp_path, "train.py", *sweep, **cluster.variables)
    assert process.stdout
    assert any(line.startswith("submitted to Slurm: ") for line in process.stdout)
    process.send_signal(signal.SIGINT)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "what was submitted to Slurm goes on" in stdout
    until(lambda: len(list(tmp_path.rglob("run.json"))) == 2, "both records", 120)
    assert ran(tmp_path, "train.py", *sweep, **cluster.variables).status == 0


REFUSED = {
    "hydra.launcher.partition=nope": "not submitted. Batch job submission failed: Invalid partition name",
    "+hydra.launcher.nope=1": "hydra.launcher: Unknown argument 'nope'",
    "hydra.launcher.timeout_min=soon": "hydra.launcher.timeout_min=soon: needed: a whole number, 1 or more",
    "hydra.launcher.nodes=2": "a run is one process. Needed: hydra.launcher.nodes=1",
}


@pytest.mark.slurm
@pytest.mark.parametrize(("override", "message"), REFUSED.items(), ids=REFUSED.keys())
def test_what_cannot_be_submitted_ends_in_one_message(
    override: str, message: str, cluster: Slurm, tmp_path: Path
) -> None:
    result = ran(tmp_path, "train.py", "-m", "seed=0,1", LAUNCHER, *SHORT, override, **cluster.variables)
    assert result.status == 1
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


@pytest.mark.slurm
def test_where_there_is_no_slurm_that_is_said(tmp_path: Path) -> None:
    pytest.importorskip("submitit", reason="needs pip install '.[slurm]'")
    result = ran(tmp_path, "train.py", "-m", "seed=0,1", LAUNCHER, *SHORT, PATH="/nowhere", **SHORT_ERRORS)
    assert result.status == 1
    assert "are you indeed on a slurm cluster?" in result.stderr
