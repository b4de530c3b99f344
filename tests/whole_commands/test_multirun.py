"""What a sweep counts, says and writes."""

import re
import shlex
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hydra._internal.core_plugins.basic_launcher import BasicLauncher

from commands import CONF, ROOT, SHORT, Command, every
from overnight.records import sweep_state
from overnight.records.record import read_record
from overnight.study.design import varying
from overnight.study.frames import load
from overnight.sweeps.leaderboard import leaderboard

PLANNED: dict[str, tuple[list[str], int]] = {
    "a study with other values typed": (["experiment=init", "init=zeros,normal", "lr=0.1", "seed=0"], 2),
    "a product": (["optimizer=sgd,adam,rmsprop", "lr=0.1,0.01"], 6),
    "lists": (["regularization=none,[dropout,batch_norm]"], 2),
    "a range": (["seed=range(5)"], 5),
    "files that match": (["optimizer=glob(ada*)"], 3),
    "batches": (["seed=range(5)", "hydra.sweeper.max_batch_size=2"], 5),
}


@pytest.mark.parametrize("name", every(6, PLANNED))
def test_the_number_of_runs_is_said_before_the_first_one(
    name: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed, count = PLANNED[name]
    monkeypatch.setattr(BasicLauncher, "launch", lambda *_, **__: [])
    told = command("train.py", "-m", *SHORT, *typed).stdout
    assert told.startswith(f"{count} runs; ")


@pytest.mark.slow
def test_a_failure_of_an_earlier_sweep_with_other_settings_is_none_of_this_one(command: Command) -> None:
    assert command("train.py", *SHORT, "-m", "data.val_size=700,100", "task_name=named").status == 1
    result = command("train.py", *SHORT, "-m", "lr=0.1,0.2", "task_name=named")
    assert result.status == 0
    assert "FAILED" not in result.stdout


@pytest.mark.parametrize("ended", [Counter(old=2), Counter(new=4)], ids=["nothing known", "nothing to do"])
def test_no_time_is_left_when_nothing_is_known_or_nothing_to_do(ended: Counter[str]) -> None:
    assert sweep_state.time_left(sweep_state.Plan(started=0.0, total=4, command=""), ended) == ""


@pytest.mark.slow
def test_a_named_sweep_with_other_settings_counts_anew(command: Command) -> None:
    command("train.py", *SHORT, "-m", "seed=0,1", "task_name=named")
    lines = command("train.py", *SHORT, "-m", "seed=1,2", "task_name=named").stdout.splitlines()
    assert [line[:3] for line in lines if re.match(r"\d/\d  val/acc", line)] == ["1/2", "2/2"]
    assert "(recorded before)" in next(line for line in lines if line.startswith("1/2"))


def test_there_is_nothing_to_load_where_there_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        load(tmp_path / "nope")


def test_a_sweep_with_a_failed_and_a_diverged_run_tells_the_truth(command: Command, tmp_path: Path) -> None:
    mixed = ["lr=0.1,1e10", "data.val_size=100,700"]
    result = command("train.py", *SHORT, "-m", "optimizer=sgd", *mixed, "task_name=mixed")
    assert result.status == 1
    runs = load(tmp_path / "outputs" / "sweeps" / "mixed").set_index(["lr", "data.val_size"])
    ended = {(0.1, 100): "completed", (1e10, 100): "diverged"}
    assert runs["status"].to_dict() == ended | {(0.1, 700): "failed", (1e10, 700): "failed"}
    assert re.search(r"^FAILED .*data.val_size=700", result.stdout, re.MULTILINE)
    assert "data.val_size=700" in result.stdout
    assert "DIVERGED" in result.stdout
    assert len(pd.read_csv(tmp_path / "outputs" / "sweeps" / "mixed" / "results.csv")) == 4


FOUR = [*SHORT, "-m", "optimizer=sgd,adam", "seed=0,1", "task_name=board"]


def test_the_leaderboard_is_by_validation_and_shows_what_differs(remembered: Command, tmp_path: Path) -> None:
    remembered("train.py", *FOUR)
    runs = load(tmp_path / "outputs" / "sweeps" / "board")
    board = leaderboard(runs)
    assert varying(runs) == ["optimizer", "seed"]
    assert board["val/acc"].is_monotonic_decreasing
    assert not [column for column in board if str(column).startswith("test")]
    assert len(board) == 4


def test_the_line_and_the_leaderboard_of_a_sweep_name_its_metric(command: Command) -> None:
    shown = command("train.py", *SHORT, "-m", "metrics=loss", "lr=0.1,0.01", "task_name=losses").stdout
    assert len(re.findall(r"^\d/2  val/loss [\d.]+  ", shown, re.MULTILINE)) == 2
    assert re.search(r" lr +val/loss +train/loss +epoch +seconds +status", shown)
    assert re.search(r"^best by val/loss: .*, test/loss [\d.]+$", shown, re.MULTILINE)


def test_the_same_sweep_again_runs_nothing_again(
    remembered: Command, command: Command, tmp_path: Path
) -> None:
    remembered("train.py", *FOUR)
    records = sorted((tmp_path / "outputs" / "sweeps" / "board").glob("*/run.json"))
    before = [path.stat().st_mtime_ns for path in records]
    assert command("train.py", *FOUR).status == 0
    assert [path.stat().st_mtime_ns for path in records] == before
    assert len(before) == 4


@pytest.mark.slow
def test_a_sweep_over_experiments_keeps_to_one_folder(command: Command, tmp_path: Path) -> None:
    assert command("train.py", *SHORT, "-m", "experiment=glob(*)", "trainer.max_epochs=1").status == 0
    (sweep,) = (tmp_path / "outputs" / "sweeps").iterdir()
    names = [path.parent.name for path in sweep.glob("*/run.json")]
    ours = ROOT / "src" / "overnight" / "conf"
    options = [path for conf in (CONF, ours) for path in (conf / "experiment").glob("*.yaml")]
    assert len(names) == len(options)
    assert any("experiment=optimizers" in name for name in names)


@pytest.mark.slow
def test_an_unnamed_sweep_says_how_to_go_on_and_that_runs_only_what_is_missing(
    command: Command, tmp_path: Path
) -> None:
    first = command("train.py", *SHORT, "-m", "seed=0,1,2")
    told = next(line for line in first.stdout.splitlines() if "train.py" in line)
    records = sorted((tmp_path / "outputs" / "sweeps").glob("*/*/run.json"))
    records[1].unlink()
    kept = {path: path.stat().st_mtime_ns for path in (records[0], records[2])}
    _, _, *arguments = shlex.split(told)
    assert command("train.py", *arguments).status == 0
    assert sorted((tmp_path / "outputs" / "sweeps").glob("*/*/run.json")) == records
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


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


@pytest.mark.slow
@pytest.mark.parametrize("launcher", ["basic", "stacked", "joblib"])
def test_pruned_runs_are_recorded_settled_and_win_nothing(
    launcher: str, command: Command, tmp_path: Path
) -> None:
    pruning = ["pruning=median", "callbacks.pruning.pruner.n_startup_trials=2"]
    typed = [*SHORT, "optimizer=sgd", "lr=0.3,0.2,1e-5,1e-6,1e-7", *pruning, "trainer.max_epochs=3"]
    swept = command("train.py", "-m", *typed, f"hydra/launcher={launcher}", "task_name=named")
    assert swept.status == 0, swept.stderr
    runs = load(tmp_path / "outputs" / "sweeps" / "named").set_index("name")
    assert runs["status"].value_counts()["pruned"] >= 2
    assert set(runs.loc[["lr=0.3", "lr=0.2"], "status"]) == {"completed"}
    assert "best by val/acc: lr=0." in swept.stdout
    assert "recorded before" in command("train.py", "-m", *typed, "task_name=named").stdout
    for path in tmp_path.rglob("run.json"):
        record = read_record(path.parent)
        assert record
        assert (record["checked"], len(record["history"]) < 4) == (True, record["status"] == "pruned")


@pytest.mark.slow
def test_a_search_prunes(command: Command, tmp_path: Path) -> None:
    space = ["hparams_search=tpe", "lr=tag(log,interval(1e-8,1))", "hydra.sweeper.n_trials=10"]
    pruning = ["pruning=median", "callbacks.pruning.pruner.n_startup_trials=3"]
    searched = command(
        "train.py", *SHORT, "optimizer=sgd", "trainer.max_epochs=4", *space, *pruning, "task_name=named"
    )
    assert searched.status == 0, searched.stderr
    statuses = load(tmp_path / "outputs" / "sweeps" / "named")["status"].value_counts()
    assert statuses["pruned"] >= 1
    assert statuses["completed"] >= 1
