"""The folders of a sweep: one for each job, named by what varies, and nothing of others in them."""

from pathlib import Path

import pytest

from commands import SHORT, Command, every
from overnight.records.record import read_record

FOLDERS = {
    "the same run twice, and another": (["lr=0.1,1e-1,0.01"], 2),
    "experiments": (["experiment=init,dropout", "init=torch_default", "dropout=0.1", "seed=0"], 2),
    "experiments by a pattern": (
        ["experiment=glob([init,dropout])", "init=torch_default", "dropout=0.1", "seed=0"],
        2,
    ),
    "experiments under one name": (
        ["experiment=init,dropout", "init=zeros", "dropout=0", "seed=0", "task_name=x"],
        2,
    ),
    "the same run twice": (["seed=0,0"], 1),
    "the split": (["data.split_seed=0,1"], 2),
}


@pytest.mark.parametrize("name", every(6, FOLDERS))
@pytest.mark.parametrize("folder", every(4, ["hydra.sweep.dir=X", "task_name=named"]))
def test_jobs_of_a_sweep_never_share_a_folder(
    folder: str, name: str, command: Command, tmp_path: Path
) -> None:
    typed, runs = FOLDERS[name]
    swept = command("train.py", "-m", *SHORT, "trainer.max_epochs=1", *typed, folder)
    assert swept.status == 0, swept.stderr
    found = list(tmp_path.rglob("run.json"))
    assert len(found) == runs
    assert f"{runs} run" in swept.stdout
    assert not list(tmp_path.rglob(".aside-*"))


def test_a_sweep_says_where_runs_lie_now_that_had_ended(command: Command) -> None:
    sweep = ("train.py", "-m", *SHORT, "lr=0.1,0.2", "task_name=again")
    command(*sweep, "trainer.max_epochs=1")
    again = command(*sweep, "trainer.max_epochs=2")
    assert "lr=0.1: an earlier run was here (completed, 1 epoch); it lies in " in again.stdout


def test_what_a_file_would_have_swept_is_not_ignored_in_a_single_run(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    content = "# @package _global_\nhydra:\n  sweeper:\n    params:\n      lr: 0.1,0.2\n"
    (tmp_path / "own" / "experiment" / "mine.yaml").write_text(content)
    file = ("train.py", *SHORT, "--config-dir", str(tmp_path / "own"), "experiment=mine")
    assert "a file asks for a sweep over lr, and this is a single run" in command(*file).stderr
    assert command(*file, "hydra.mode=RUN").status == 0


def test_jobs_that_would_share_a_folder_are_refused(command: Command, tmp_path: Path) -> None:
    swept = command("train.py", "-m", *SHORT, "seed=0,1", "hydra.sweep.dir=X", "hydra.sweep.subdir=${lr}")
    assert swept.status == 1
    assert "another job of this sweep has run here" in swept.stderr
    assert len(list(tmp_path.rglob("run.json"))) == 1


@pytest.mark.slow
def test_runs_are_named_by_what_varies_in_their_folder(command: Command, tmp_path: Path) -> None:
    common = ["trainer.max_epochs=1", "track_test=false", "weight_decay=1e-4", "tags=[a, b]"]
    for typed in (
        ["seed=0,1"],
        ["seed=0,1", "lr=0.1"],
        ["seed=0,1", "trainer.max_epochs=2"],
        ["optimizer=sgd,adam"],
    ):
        assert command("train.py", "-m", *SHORT, *common, *typed, "task_name=named").status == 0
    runs = {path.parent.name for path in tmp_path.rglob("run.json") if ".aside" not in str(path)}
    assert runs == {"seed=0", "seed=1", "lr=0.1,seed=0", "lr=0.1,seed=1", "optimizer=sgd", "optimizer=adam"}


def test_a_key_of_one_option_of_a_swept_group_is_set_where_it_is(command: Command, tmp_path: Path) -> None:
    typed = ["optimizer=sgd,momentum", "optimizer.momentum=0.8", "logger=none", "task_name=named"]
    swept = command("train.py", "-m", *SHORT, *typed)
    assert swept.status == 0
    assert "tensorboard" not in swept.stdout  # there are no curves to show
    records = [read_record(path.parent) for path in tmp_path.rglob("run.json")]
    assert [record and record["config"]["optimizer"]["momentum"] for record in records] == [0.8, 0.8]


@pytest.mark.parametrize("theirs", ["results.csv", "sweep.json"])
def test_files_that_no_sweep_wrote_are_not_overwritten(theirs: str, command: Command, tmp_path: Path) -> None:
    path = tmp_path / "X" / theirs
    path.parent.mkdir()
    path.write_text("theirs")
    refused = command("train.py", "-m", *SHORT, "seed=0,1", "hydra.sweep.dir=X")
    assert (refused.status, f"holds {theirs}" in refused.stderr) == (1, True)
    assert [(p.name, p.read_text()) for p in path.parent.iterdir()] == [(theirs, "theirs")]
