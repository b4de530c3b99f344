"""Where files are looked for and where they go, from whatever folder a command is typed and a run runs in."""

import shutil
from pathlib import Path

import pytest
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from commands import ROOT, SHORT, Command
from overnight.config import folders
from overnight.config.errors import ConfigError
from overnight.records.record import Record, find_runs, read_record
from overnight.runs.origin import resolved
from overnight.runs.run import run

CHDIR = "hydra.job.chdir=true"
INIT_FROM = "init_from=outputs/runs/first/checkpoints/best.ckpt"
SWEEPS = [
    ("basic", INIT_FROM),
    pytest.param("joblib", INIT_FROM, marks=pytest.mark.slow),
    pytest.param("stacked", "lr=0.01", marks=pytest.mark.slow),
]


def recorded(folder: Path) -> Record:
    record = read_record(folder)
    assert record
    return record


@pytest.fixture
def first(remembered: Command) -> str:
    """Return the folder of a run, as a person types it."""
    assert remembered("train.py", *SHORT, "task_name=first").status == 0
    return "outputs/runs/first/checkpoints"


@pytest.mark.parametrize("key", ["init_from={}/best.ckpt", "ckpt_path={}/last.ckpt"])
def test_a_run_in_its_own_folder_reads_what_was_typed(
    key: str, first: str, command: Command, tmp_path: Path
) -> None:
    typed = [key.format(first), "trainer.max_epochs=3", CHDIR]
    run = command("train.py", *SHORT, *typed, "task_name=second")
    assert (run.status, run.stderr) == (0, "")
    second = tmp_path / "outputs" / "runs" / "second"
    assert find_runs(tmp_path) == [tmp_path / "outputs" / "runs" / "first", second]
    assert recorded(second)["history"][-1]["epoch"] == 3


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(("launcher", "setting"), SWEEPS)
def test_a_sweep_whose_runs_run_in_their_own_folders(
    launcher: str, setting: str, command: Command, tmp_path: Path
) -> None:
    typed = [f"hydra/launcher={launcher}", setting, "seed=0,1", CHDIR, "task_name=s"]
    sweep = command("train.py", *SHORT, "-m", *typed)
    assert (sweep.status, sweep.stderr) == (0, "")
    folder = tmp_path / "outputs" / "sweeps" / "s"
    assert [path.parent for path in find_runs(folder)] == [folder, folder]
    assert (folder / "results.csv").is_file()
    assert "2 completed" in command("status.py").stdout
    assert "0 left of 2" in command("status.py", "outputs/sweeps/s").stdout


def test_relative_paths_are_those_of_where_the_command_was_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cfg = OmegaConf.create(
        {"ckpt_path": "a.ckpt", "init_from": "/b.ckpt", "data": {"root": "data", "path": None}}
    )
    monkeypatch.setattr(HydraConfig, "get", lambda: OmegaConf.create({"runtime": {"cwd": str(tmp_path)}}))
    monkeypatch.chdir(tmp_path)
    assert resolved(cfg, tmp_path / "run")[0] == cfg
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    config, _ = resolved(cfg, tmp_path / "run")
    assert config["ckpt_path"] == f"{tmp_path}/a.ckpt"
    assert config["init_from"] == "/b.ckpt"
    assert config["data"] == {"root": f"{tmp_path}/data", "path": None}


def test_defaults_belong_to_the_project_and_what_is_typed_to_where_it_is_typed(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    shutil.copytree(ROOT / "tests" / "support" / "foreign_project", project)
    monkeypatch.delenv(folders.OUTPUTS)
    run = command(str(project / "train.py"), "task_name=mine")
    sweep = command(str(project / "train.py"), "-m", "seed=0", "task_name=s")
    other = command(str(project / "train.py"), "hydra.run.dir=here")
    assert (run.status, sweep.status, other.status) == (0, 0, 0)
    (in_sweep,) = find_runs(project / "outputs" / "sweeps" / "s")
    assert find_runs(tmp_path) == [tmp_path / "here", project / "outputs" / "runs" / "mine", in_sweep]


def test_a_run_without_an_entry_script_says_what_a_notebook_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HydraConfig, "initialized", lambda: False)
    with pytest.raises(ConfigError, match=r"an entry script\. .* Trainer of your own"):
        run(OmegaConf.create({}))


def test_a_project_is_found_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(folders.PROJECT, str(tmp_path))
    monkeypatch.delenv(folders.OUTPUTS)
    monkeypatch.chdir(tmp_path)
    assert (folders.in_project("data"), folders.outputs()) == ("data", "outputs")
    monkeypatch.chdir("/")
    assert (folders.in_project("data"), folders.outputs()) == (f"{tmp_path}/data", f"{tmp_path}/outputs")


@pytest.mark.slow
def test_a_path_may_begin_at_home(command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert command("train.py", *SHORT, 'hydra.run.dir="~/mine"').status == 0
    measured = command("eval.py", "ckpt_path=~/mine/checkpoints/best.ckpt", 'predictions="$HOME/p.csv"')
    assert (measured.status, measured.stderr) == (0, "")
    assert (tmp_path / "home" / "p.csv").is_file()
    sweep = command("train.py", *SHORT, "init_from=~/mine/checkpoints/best.ckpt", "-m", "hydra.sweep.dir=~/s")
    assert sweep.status == 0
    assert "1 completed" in command("status.py", "~/s").stdout
    assert str(tmp_path / "home" / "p.csv") in command("report.py", "~/s", "--output=~/p.csv").stderr
    assert {path.name for path in (tmp_path / "home").iterdir()} == {"mine", "p.csv", "s"}
    assert not (tmp_path / "~").exists()


@pytest.mark.parametrize("chdir", [[], pytest.param([CHDIR], marks=pytest.mark.slow)], ids=str)
def test_several_checkpoints_are_measured_one_after_the_other(
    chdir: list[str], first: str, command: Command, tmp_path: Path
) -> None:
    paths = [f"{first}/{name}" for name in ("best.ckpt", "last.ckpt", "a=b,c.ckpt")]
    shutil.copy(tmp_path / paths[0], tmp_path / paths[2])
    before = {*tmp_path.rglob("*")}
    measured = command("eval.py", f"ckpt_path={','.join(paths)}", "accelerator=cpu", "-m", *chdir)
    assert (measured.status, measured.stderr) == (0, "")
    told = measured.stdout.split("ckpt_path: ")[1:]
    assert [text.splitlines()[0] for text in told] == paths
    assert all("val" in text and "test" in text for text in told)
    assert {*tmp_path.rglob("*")} == before


def test_several_checkpoints_need_m(first: str, command: Command) -> None:
    refused = command("eval.py", f"ckpt_path={first}/best.ckpt,{first}/last.ckpt")
    assert refused.status == 1
    assert refused.stderr.strip().endswith(f" -m ckpt_path={first}/best.ckpt,{first}/last.ckpt")
    assert len(refused.stderr.splitlines()) == 1


def test_a_checkpoint_needs_its_key(first: str, command: Command) -> None:
    refused = command("eval.py", f"{first}/best.ckpt")
    assert refused.status == 1
    assert refused.stderr == (
        f"Error: {first}/best.ckpt: needed: KEY=VALUE. Type for example: ckpt_path={first}/best.ckpt"
    )
