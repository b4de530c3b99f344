"""What a sweep counts, says and writes."""

import re
import shlex
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from hydra.core.plugins import Plugins
from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher

from commands import CONF, ROOT, SHORT, Command, every
from overnight.records import sweep_state
from overnight.records.record import read_record
from overnight.study.design import varying
from overnight.study.frames import load
from overnight.sweeps.leaderboard import leaderboard

BASIC = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
PLANNED: dict[str, tuple[list[str], int]] = {
    "a study with other values typed": (["experiment=init", "init=zeros,normal", "lr=0.1", "seed=0"], 2),
    "a product": (["optimizer=sgd,adam,rmsprop", "lr=0.1,0.01"], 6),
    "lists": (["regularization=none,[dropout,batch_norm]"], 2),
    "a range": (["seed=range(5)"], 5),
    "files that match": (["optimizer=glob(ada*)"], 3),
    "batches": (["seed=range(5)", "hydra.sweeper.max_batch_size=2"], 5),
    "a value twice": (["lr=0.1,0.2,0.1", "hydra.sweeper.max_batch_size=1"], 2),
}


@pytest.mark.parametrize("name", every(6, PLANNED))
def test_the_number_of_runs_is_said_before_the_first_one(
    name: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed, count = PLANNED[name]
    launched: list[list[str]] = []

    def launch(_: Launcher, job_overrides: list[list[str]], initial_job_idx: int) -> list[JobReturn]:
        assert initial_job_idx == len(launched)
        launched.extend(job_overrides)
        return []

    launcher = Plugins.instance().class_name_to_class[BASIC]  # Hydra imports its plugins once more
    monkeypatch.setattr(launcher, "launch", launch)
    told = command("train.py", "-m", *SHORT, *typed).stdout
    assert told.startswith(f"{count} runs; ")
    assert len(launched) == count


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
