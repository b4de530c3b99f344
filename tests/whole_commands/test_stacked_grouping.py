"""Which runs of a sweep are trained together, and how many."""

from pathlib import Path

import pytest
import torch

from commands import CONF, every
from experiments import Compose
from overnight.config.resolvers import cores
from overnight.stacked.grouping import Run, groups, shared_out
from overnight.stacked.judging import judge, on_cpu, why_alone
from overnight.stacked.limits import Limits, number_of_groups

UNSUPPORTED = {
    "ckpt_path=some.ckpt": "ckpt_path=some.ckpt",
    "debug=fast_dev_run": "trainer.fast_dev_run",
    "debug=profiler": "trainer.profiler=simple",
    "debug=default": "trainer.limit_train_batches",
    "debug=overfit": "trainer.limit_train_batches",
    "+trainer.gradient_clip_val=1": "trainer.gradient_clip_val",
    "+trainer.accumulate_grad_batches=2": "trainer.accumulate_grad_batches",
    "+trainer.max_steps=5": "trainer.max_steps",
    "+trainer.whatever_comes_next=1": "trainer.whatever_comes_next",
    "+trainer.precision=16-mixed": "trainer.precision=16-mixed",
    "trainer.devices=2": "trainer.devices=2",
    "regularization=ema": "callbacks.ema",
    "+callbacks.mine={_target_:faults.Raise,seed:0}": "callbacks.mine",
    "+callbacks.checkpoint.every_n_train_steps=3": "callbacks.checkpoint.every_n_train_steps",
    "+task.net2=1": "task.net2",
}


@pytest.mark.parametrize(("typed", "named"), UNSUPPORTED.items(), ids=UNSUPPORTED)
def test_what_stacking_cannot_do_is_named(typed: str, named: str, compose: Compose) -> None:
    assert named in why_alone(compose("data=synthetic", typed))


OPTIONS = [
    f"{folder.name}={path.stem}"
    for folder in sorted(CONF.iterdir())
    if folder.name
    in {"model", "activation", "init", "regularization", "optimizer", "scheduler", "loss", "logger"}
    for path in sorted(folder.glob("*.yaml"))
    if f"{folder.name}={path.stem}" not in UNSUPPORTED
]


MORE = ("trainer=cpu", "trainer=bf16", "trainer=gpu", "callbacks=none", "callbacks.progress_bar=null")


@pytest.mark.parametrize("option", every(3, [*OPTIONS, *MORE]))
def test_every_option_can_be_stacked(option: str, compose: Compose) -> None:
    assert why_alone(compose("data=synthetic", option)) == ""


def kinds(
    compose: Compose, *runs: str, members: int = 99, memory: float = 1e3, beside: int = 1
) -> list[list[int]]:
    """Group runs that are typed like this; return their numbers."""
    judged = [judge(compose("data=synthetic", *run.split()), "") for run in runs]
    planned = [Run(None, Path(), known) for known in judged]  # type: ignore[arg-type]
    limits = Limits(None, members, memory)
    return [[planned.index(run) for run in group] for group in groups(planned, limits, beside)]


@pytest.mark.parametrize(
    "runs",
    [
        ("optimizer=sgd", "optimizer=adam lr=0.5", "optimizer=rmsprop weight_decay=0.1"),
        ("scheduler=cosine", "scheduler=plateau", "l1=0.1", "init=zeros", "regularization=early_stopping"),
        ("seed=0", "seed=1", "data.split_seed=3", "tags=[a]", "retries=1"),
        ("data.folds=3 data.fold=0", "data.folds=3 data.fold=1"),
    ],
)
def test_what_members_may_differ_in(runs: tuple[str, ...], compose: Compose) -> None:
    assert len(kinds(compose, *runs)) == 1


@pytest.mark.parametrize(
    "other",
    [
        "model=small",
        "activation=tanh",
        "dropout=0.1",
        "regularization=batch_norm",
        "loss=mse",
        "label_smoothing=0.1",
        "data.batch_size=64",
        "data.val_size=500",
        "data.folds=3",
        "trainer.max_epochs=3",
        "trainer=bf16",
        "track_test=false",
        "data.train_size=5000",
    ],
)
def test_what_members_must_share(other: str, compose: Compose) -> None:
    assert kinds(compose, "seed=0", other) == [[0], [1]]


def test_groups_are_split_evenly_and_runs_that_see_the_same_images_stay_together(compose: Compose) -> None:
    runs = [f"lr={lr} seed={seed}" for lr in (0.1, 0.2, 0.3) for seed in (0, 1)]
    assert kinds(compose, *runs, members=3) == [[0, 2, 4], [1, 3, 5]]
    assert kinds(compose, *runs, "seed=2", "seed=3", members=9) == [[0, 2, 4], [1, 3, 5], [6, 7]]
    assert kinds(compose, *runs, members=30) == [[0, 2, 4, 1, 3, 5]]
    assert kinds(compose, *runs, members=30, beside=2) == [[0, 4, 3], [2, 1, 5]]


@pytest.mark.parametrize(
    ("runs", "most", "beside", "number"),
    [
        (27, 14, 1, 2),
        (27, 14, 2, 2),
        (27, 9, 2, 4),
        (27, 14, 4, 4),
        (27, 14, 99, 9),
        (5, 9, 2, 1),
        (6, 9, 2, 2),
        (9, 1, 2, 9),
    ],
)
def test_no_core_idles_if_the_groups_do_not_get_too_small(
    runs: int, most: int, beside: int, number: int
) -> None:
    assert number_of_groups(runs, most, beside) == number
    sizes = [len(part) for part in shared_out(range(runs), number)]
    assert sum(sizes) == runs
    assert max(sizes) <= min(most, min(sizes) + 1)


def test_a_bound_on_the_memory_splits_groups(compose: Compose) -> None:
    runs = [f"seed={seed}" for seed in range(4)]
    assert kinds(compose, *runs, memory=1) == [[0, 1, 2, 3]]
    assert kinds(compose, *runs, memory=1e-6) == [[0], [1], [2], [3]]
    gb = judge(compose("data=synthetic"), "").memory / 1e9
    assert kinds(compose, *runs, memory=2.1 * gb) == [[0, 2], [1, 3]]
    assert kinds(compose, *runs, memory=4.2 * gb, beside=2) == [[0, 2], [1, 3]]


CORES = {"two": (27, 2), "as many groups as there are": (8, 2), "one": (3, 1), "none": (0, 1)}


@pytest.mark.parametrize(("runs", "number"), CORES.values(), ids=CORES)
def test_groups_side_by_side_are_not_too_small(runs: int, number: int) -> None:
    assert Limits(2, 14, 4.0).side_by_side([10_000] * runs, on_cpu=True) == number


def test_a_gpu_trains_one_group_at_a_time(compose: Compose, monkeypatch: pytest.MonkeyPatch) -> None:
    """No machine of the tests has one: torch is made to say so, and it is asked for nothing else."""
    monkeypatch.setattr(torch.accelerator, "is_available", lambda: True)
    limits = Limits(None, 14, 4.0)
    assert limits.at_a_time(on_cpu=on_cpu(compose("data=synthetic"))) == 1
    assert limits.at_a_time(on_cpu=on_cpu(compose("data=synthetic", "trainer=cpu"))) == cores()


def test_where_memory_is_short_fewer_groups_are_trained_at_a_time() -> None:
    limits = Limits(64, 14, memory_gb=12.5)
    beside = limits.side_by_side([10**9] * 1000, on_cpu=True)
    assert beside == 4
    assert limits.members(10**9, beside) == 3
