"""A sweep with hydra/launcher=stacked: what it leaves, and what happens when things go wrong."""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from commands import SHORT, Command, result
from experiments import Compose
from overnight.records.lock import locked
from overnight.stacked import group as one_group
from overnight.stacked.grouping import Judged, Run
from overnight.stacked.loop import StackedLoop
from overnight.study.frames import load
from stacked_sweeps import SIX, STACKED, approximate, recorded

UNALIKE = {"name": None, "trained": None}
"""What is not alike in the records of a run that was stacked and of the run by itself."""


def test_a_stacked_sweep_leaves_what_the_runs_would_leave(command: Command, tmp_path: Path) -> None:
    settings = ["regularization=layer_norm", "logger=tensorboard"]
    assert command("train.py", "-m", *SHORT, *SIX, *settings, "task_name=basic").status == 0
    stacked = command("train.py", *STACKED, *SIX, *settings, "task_name=stacked")
    assert stacked.status == 0
    assert "stacked: 6 runs in 2 groups (2 of 3)" in stacked.stdout
    basic = recorded(tmp_path, "basic")
    for typed, record in recorded(tmp_path, "stacked").items():
        other = basic[typed.replace("task_name=stacked", "task_name=basic")]
        assert (other["trained"], record["trained"]) == ("ordinary", "stacked with 2 others")
        assert result(record) | UNALIKE == approximate(result(other) | UNALIKE)
        assert record["fingerprint"] == other["fingerprint"]
    left = [
        Counter(
            path.name.partition(".tfevents")[0] for path in (tmp_path / "outputs/sweeps" / name).rglob("*")
        )
        for name in ("basic", "stacked")
    ]
    for folders in left:
        for folder in [name for name in folders if "optimizer=" in name]:
            del folders[folder]
    assert left[0] == left[1]


def test_what_eval_measures_is_what_the_record_says(command: Command, tmp_path: Path) -> None:
    altered = ["regularization=batch_norm", "augmentation=[flip,shift,mixup,cutmix]"]
    command("train.py", *STACKED, "seed=0,1", *altered, "task_name=measured")
    for record in recorded(tmp_path, "measured").values():
        assert record["trained"] == "stacked with 1 other"
        path = tmp_path / "outputs" / "sweeps" / "measured" / record["name"] / record["checkpoint"]
        evaluated = command("eval.py", f"ckpt_path={path}")
        assert evaluated.status == 0
        assert f"{record['best']['train/acc']:.4f}" in evaluated.stdout
        assert f"{record['best']['test/acc']:.4f}" in evaluated.stdout


def test_no_test_and_no_training_passes_for_a_validation(command: Command, tmp_path: Path) -> None:
    names = ["TestAsValidation", "TrainAsValidation"]
    for name in names:
        command("train.py", *STACKED, "seed=0,1", f"task._target_=forked_tasks.{name}", f"task_name={name}")
    for record in recorded(tmp_path, names[0]).values():
        best = record["best"]
        assert record["trained"] == "stacked with 1 other"
        assert record["checked"] is True
        assert best["val/loss"] == approximate(record["history"][best["epoch"]]["val/loss"])
        assert best["test/loss"] != approximate(best["val/loss"])
    for record in recorded(tmp_path, names[1]).values():
        assert "training and validation both log" in record["trained"]
        assert "it is logged in training and in validation under one name" in record["error"]["message"]


@pytest.mark.parametrize("fork", ["task._target_=forked_tasks.Annealed", "model._target_=forks.RunningScale"])
def test_what_no_checkpoint_holds_is_measured_as_eval_measures_it(
    fork: str, command: Command, tmp_path: Path
) -> None:
    command("train.py", *STACKED, fork, "seed=0,1", "task_name=annealed")
    for record in recorded(tmp_path, "annealed").values():
        assert record["trained"] == "stacked with 1 other"
        for which in ("best", "last"):
            path = tmp_path / f"outputs/sweeps/annealed/{record['name']}/checkpoints/{which}.ckpt"
            evaluated = command("eval.py", "trust=[forked_tasks,forks]", f"ckpt_path={path}").stdout
            for name in ("val/loss", "test/loss"):
                assert f"{record[which][name]:.4f}" in evaluated


@pytest.mark.slow
def test_finished_members_are_not_trained_again(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    command("train.py", *STACKED, "seed=0,1", "task_name=again")
    more = command("train.py", *STACKED, "seed=0,1,2,3", "task_name=again")
    assert "stacked: 2 runs in 1 group (1 of 2)\nrecorded before: 2" in more.stdout
    monkeypatch.setattr(one_group, "Member", None)
    third = command("train.py", *STACKED, "seed=0,1,2,3", "task_name=again")
    assert third.status == 0
    assert third.stdout.count("(recorded before)") == 4


@pytest.mark.slow
def test_ctrl_c_keeps_the_groups_that_finished(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = [*STACKED, "seed=range(6)", "hydra.launcher.max_members=2", "task_name=stopped"]
    fit = StackedLoop.fit

    def press(loop: StackedLoop, tell: Any) -> None:
        if loop.members[0].config["seed"] == 1:
            raise KeyboardInterrupt
        fit(loop, tell)

    monkeypatch.setattr(StackedLoop, "fit", press)
    assert command("train.py", *sweep).status == 130
    assert len(recorded(tmp_path, "stopped")) == 2
    monkeypatch.undo()
    assert not list((tmp_path / "outputs").rglob(".running"))
    resumed = command("train.py", *sweep)
    assert resumed.status == 0
    assert "stacked: 4 runs in 2 groups (2 of 2)\nrecorded before: 2" in resumed.stdout
    assert len(recorded(tmp_path, "stopped")) == 6


def test_what_fails_or_diverges_costs_its_own_run_only(command: Command, tmp_path: Path) -> None:
    varied = ["optimizer=sgd", "lr=0.1,1e30", "data.val_size=100,700", "regularization=batch_norm"]
    swept = command("train.py", *STACKED, *varied, "task_name=mixed")
    assert swept.status == 1
    runs = load(tmp_path / "outputs" / "sweeps" / "mixed")
    statuses = runs.groupby(["data.val_size", "lr"])["status"].unique()
    assert {case: list(found) for case, found in statuses.items()} == {
        (100, 0.1): ["completed"],
        (100, 1e30): ["diverged"],
        (700, 0.1): ["failed"],
        (700, 1e30): ["failed"],
    }
    assert "the ordinary way: 2 (cannot be built: data.val_size=700: needed: fewer" in swept.stdout


@pytest.mark.slow
def test_the_first_failure_stops_the_sweep_if_asked(command: Command) -> None:
    stopping = ["on_failure=raise", "task_name=stop", "trainer.max_epochs=1,2"]
    swept = command("train.py", *STACKED, "data.batch_size=1,64", *stopping, "regularization=batch_norm")
    assert swept.status == 1
    assert "stopped at the first failed run" in swept.stdout


def test_an_unsupported_setting_is_obeyed_and_not_ignored(command: Command, tmp_path: Path) -> None:
    limited = command("train.py", *STACKED, "seed=0,1", "+trainer.limit_train_batches=1", "task_name=limited")
    assert limited.status == 0
    assert "stacked: 0 runs in 0 groups\nthe ordinary way: 2 (trainer.limit_train_batches)" in limited.stdout
    command("train.py", "-m", *SHORT, "seed=0,1", "+trainer.limit_train_batches=1", "task_name=basic")
    for typed, record in recorded(tmp_path, "limited").items():
        other = recorded(tmp_path, "basic")[typed.replace("limited", "basic")]
        assert record["trained"] == "ordinary: trainer.limit_train_batches"
        assert result(record) | UNALIKE == result(other) | UNALIKE


@pytest.mark.slow
def test_without_memory_for_all_halves_are_trained(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    class Small(StackedLoop):
        def __init__(self, members: Any, check: Any) -> None:
            sizes.append(len(members))
            if len(members) > 2:
                raise MemoryError
            super().__init__(members, check)

    monkeypatch.setattr(one_group, "StackedLoop", Small)
    assert command("train.py", *STACKED, "seed=range(4)", "task_name=halves").status == 0
    assert sizes == [4, 2, 2]
    assert {record["status"] for record in recorded(tmp_path, "halves").values()} == {"completed"}


def test_what_cannot_be_batched_after_all_is_run_the_ordinary_way(command: Command, tmp_path: Path) -> None:
    random = ["activation.module._target_=torch.nn.RReLU", "task_name=random"]
    swept = command("train.py", *STACKED, "seed=0,1", *random)
    assert swept.status == 0
    assert "the ordinary way: 2 (its steps cannot be stacked (vmap: " in swept.stdout
    records = recorded(tmp_path, "random").values()
    assert [record["trained"].partition(":")[0] for record in records] == ["ordinary", "ordinary"]


@pytest.mark.slow
def test_an_activation_with_weights_of_its_own_is_batched_too(command: Command, tmp_path: Path) -> None:
    learned = ["seed=0,1", "activation.module._target_=torch.nn.PReLU"]
    swept = command("train.py", *STACKED, *learned, "task_name=learned")
    assert "cannot" not in swept.stdout
    command("train.py", "-m", *SHORT, *learned, "task_name=basic")
    for typed, record in recorded(tmp_path, "learned").items():
        other = recorded(tmp_path, "basic")[typed.replace("learned", "basic")]
        assert result(record)["history"] == approximate(result(other)["history"])


def test_a_run_that_another_process_is_at_work_on_is_left_to_it(compose: Compose, tmp_path: Path) -> None:
    job: Any = SimpleNamespace(
        config=OmegaConf.create({"hydra": {"sweep": {"dir": str(tmp_path)}, "job": {"num": 0}}})
    )
    run = Run(job, tmp_path, Judged(compose("data=synthetic"), ""))
    with locked(tmp_path), ExitStack() as claims:
        assert not one_group.available(run, claims)
    with ExitStack() as claims:
        assert one_group.available(run, claims)


WRONG = {
    "groups_at_a_time=-1": "needed: a whole number, 1 or more, or null",
    "max_members=1": "needed: a whole number, 2 or more",
    "memory_gb=0": "needed: a number above 0",
    "memory_gb=much": "needed: a number above 0",
    "memory_gb=inf": "needed: a number above 0",
}


@pytest.mark.parametrize(("typed", "words"), WRONG.items(), ids=WRONG)
def test_a_limit_that_cannot_be_is_refused(typed: str, words: str, command: Command) -> None:
    refused = command("train.py", *STACKED, "seed=0,1", f"hydra.launcher.{typed}")
    assert refused.status == 1
    assert f"hydra.launcher.{typed}: {words}" in refused.stderr


@pytest.mark.slow
def test_a_search_can_be_stacked(command: Command) -> None:
    search = ["hparams_search=random", "hydra.sweeper.n_trials=4", "hydra.sweeper.n_jobs=4"]
    swept = command("train.py", *STACKED, *search, "optimizer=sgd", "model.hidden_sizes=[8]", "dropout=0.0")
    assert swept.status == 0
    assert "stacked: 4 runs in 1 group" in swept.stdout
