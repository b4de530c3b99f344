"""A member of a stacked group is the run that it would be by itself."""

from collections.abc import Sequence

import pytest
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from scipy.stats import ks_2samp

from commands import every
from experiments import Prepare
from members import TWO_SEEDS, Build, assert_agree, options, solo, trained
from overnight.data.batches import Samples
from overnight.stacked.batches import Drawn
from overnight.stacked.check import check_kernels
from overnight.stacked.loop import StackedLoop
from overnight.training.rows import Row

GROUPS = {
    "optimizer": options("optimizer"),
    "init, shared seed": [f"{init} optimizer=sgd lr=0.01" for init in options("init")],
    "scheduler": [f"{scheduler} optimizer=momentum" for scheduler in options("scheduler")],
    "own penalties": ["l1=0", "l1=1e-3", "weight_decay=1e-2", "optimizer=sgd l1=1e-2"],
    "decay of matrices": [
        *("optimizer=adamw weight_decay=0.5", "optimizer=momentum weight_decay=0.5"),
        "optimizer=adam weight_decay=0.5 regularization=batch_norm",
    ],
    "splits": ["data.split_seed=1", "data.split_seed=2", "seed=3"],
    "folds": [f"data.folds=3 data.fold={fold}" for fold in range(3)],
    "wide batch": [f"{seed} data.batch_size=1000" for seed in TWO_SEEDS],
    "no hidden layer": [f"model=logistic {seed}" for seed in TWO_SEEDS],
    "bf16": [f"trainer=bf16 {seed} regularization=[batch_norm,dropout]" for seed in TWO_SEEDS],
    "dropouts": [f"dropout=[0.5,0.1] input_dropout=0.2 {seed}" for seed in TWO_SEEDS],
    "residual": [f"model=residual model.hidden_sizes=[32,32] dropout=0.2 {seed}" for seed in TWO_SEEDS],
    "augmentations": [f"augmentation=[flip,shift,affine,mixup,cutmix] {seed}" for seed in TWO_SEEDS],
    "augmentations, shared images": [f"augmentation=[shift,cutmix] {lr}" for lr in ("lr=0.001", "lr=0.01")],
    "augmentations, mse": [f"augmentation=[mixup,cutmix] loss=mse {seed}" for seed in TWO_SEEDS],
    "augmentations, bf16": [f"trainer=bf16 augmentation=[affine,mixup] {seed}" for seed in TWO_SEEDS],
    **{name: [f"{name} {seed}" for seed in TWO_SEEDS] for name in options("activation")},
    **{name: [f"{name} label_smoothing=0.1 {seed}" for seed in TWO_SEEDS] for name in options("loss")},
    **{  # not with Adam: a bias before batch norm has a gradient of rounding errors, which Adam scales up
        f"regularization={name}": [f"regularization={name} optimizer=momentum {seed}" for seed in TWO_SEEDS]
        for name in ("batch_norm", "layer_norm", "dropout", "[batch_norm,dropout]")
    },
}
"""Sets of runs that fit one group; each run as it is typed."""


def without_clock(history: Sequence[Row]) -> list[Row]:
    return [row | {"seconds": None} for row in history]


@pytest.mark.usefixtures("masks_of_torch")
@pytest.mark.parametrize("name", every(8, GROUPS))
def test_a_member_is_the_run_that_it_would_be_by_itself(name: str, build: Build, prepare: Prepare) -> None:
    settings = [[*run.split(), "trainer.max_epochs=2"] for run in GROUPS[name]]
    members = trained([build(*overrides) for overrides in settings])
    precise = 1e-5 if "trainer=bf16" not in settings[0] else 1e-2
    for member, overrides in zip(members, settings, strict=True):
        alone = solo(prepare, *overrides)
        assert member.outcome == {"status": "completed"}
        for epoch, tolerance in enumerate((precise, max(precise, 1e-4), 1e-2)):
            assert_agree((member.history.rows[epoch], alone.history.rows[epoch]), tolerance)


@pytest.mark.parametrize("init", every(4, options("init")))
def test_initial_weights_are_those_of_the_run_by_itself(init: str, build: Build, prepare: Prepare) -> None:
    members = [build(init, seed, "regularization=batch_norm") for seed in TWO_SEEDS]
    StackedLoop(members)
    for member, seed in zip(members, TWO_SEEDS, strict=True):
        alone = prepare("logger=none", init, seed, "regularization=batch_norm").task.net.state_dict()
        for name, tensor in member.task.net.state_dict().items():
            assert torch.equal(tensor, alone[name])


@pytest.mark.parametrize(
    ("trainer", "settings", "seeds"),
    [
        pytest.param("cpu", "lr=0.01", (0, 0, 0), id="shared images", marks=pytest.mark.slow),
        pytest.param("cpu", "regularization=[batch_norm,dropout]", (0, 1, 2), id="own images"),
        pytest.param(
            "bf16", "regularization=[batch_norm,dropout]", (0, 0, 0), id="bf16", marks=pytest.mark.slow
        ),
        pytest.param(
            "cpu",
            "augmentation=[affine,shift,mixup,cutmix]",
            (0, 0, 1),
            id="altered images",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_diverging_member_changes_no_bit_of_its_neighbours(
    trainer: str, settings: str, seeds: Sequence[int], build: Build
) -> None:
    shared = (f"trainer={trainer}", settings, "trainer.max_epochs=2")
    healthy = [
        (f"optimizer={o}", f"seed={s}") for o, s in zip(("sgd", "adam", "rmsprop"), seeds, strict=True)
    ]
    quiet = trained([build(*shared, *run) for run in healthy])
    runs = [healthy[0], ("optimizer=sgd", "lr=1e6", f"seed={seeds[0]}"), *healthy[1:]]
    first, diverged, *others = trained([build(*shared, *run) for run in runs])
    assert (diverged.outcome or {})["status"] == "diverged"
    for member, undisturbed in zip([first, *others], quiet, strict=True):
        assert without_clock(member.history.rows) == without_clock(undisturbed.history.rows)


@pytest.mark.parametrize(
    "settings",
    every(2, ["lr=1e6", "lr=1e30", "lr=1e30 data.batch_size=1000", "lr=1 init=normal init.std=1e30"]),
)
def test_divergence_is_told_as_of_a_run_by_itself(settings: str, build: Build, prepare: Prepare) -> None:
    overrides = ("optimizer=sgd", *settings.split())
    member, _ = trained([build(*overrides), build("optimizer=sgd", *overrides[2:3])])
    alone = prepare("logger=none", *overrides)
    assert member.outcome == alone.fit()
    assert [row["epoch"] for row in member.history.rows] == [row["epoch"] for row in alone.history.rows]
    assert member.seconds > 0


def test_where_all_is_learned_rounding_is_no_difference(build: Build) -> None:
    loop = StackedLoop([build(seed) for seed in TWO_SEEDS])
    (features, targets), *_ = loop.samples("train")
    known = Drawn(Samples(features[:128], torch.zeros_like(targets[:128])), own=False)
    for certainty in range(8, 15):
        with torch.no_grad():
            loop.stack.state["net.output.bias"][:, 0] = certainty
        check_kernels(loop, known)


@pytest.mark.parametrize(
    "schedule", ["scheduler=plateau +scheduler.interval=step", "+scheduler.interval=minute"]
)
def test_a_scheduler_that_would_never_step_is_refused_and_not_forgotten(schedule: str, build: Build) -> None:
    members = [build(*schedule.split(), seed) for seed in TWO_SEEDS]
    with pytest.raises((ValueError, MisconfigurationException), match=r"scheduler|interval"):
        StackedLoop(members)


def test_every_member_stops_early_for_itself(build: Build, prepare: Prepare) -> None:
    stopping = (
        "regularization=early_stopping",
        "callbacks.early_stopping.patience=1",
        "trainer.max_epochs=8",
    )
    runs = ("lr=1e-5", "lr=0.05", "+callbacks.early_stopping.min_delta=0.5")
    members = trained([build(*stopping, run) for run in runs])
    lengths = [len(member.history.rows) for member in members]
    assert lengths == [len(solo(prepare, *stopping, run).history.rows) for run in runs]
    assert len(set(lengths)) > 1


@pytest.mark.slow
def test_with_dropout_many_seeds_give_the_same_distribution(build: Build, prepare: Prepare) -> None:
    settings = ("dropout=0.5", "trainer.max_epochs=3")
    stacked = trained([build(*settings, f"seed={seed}") for seed in range(100, 160)])
    alone = [solo(prepare, *settings, f"seed={seed}", "callbacks=none") for seed in range(60)]
    for name in ("train/loss", "val/loss", "test/loss"):
        ours = [member.history.rows[-1][name] for member in stacked]
        theirs = [experiment.history.rows[-1][name] for experiment in alone]
        assert ks_2samp(ours, theirs).pvalue > 0.01


def test_what_a_member_draws_depends_on_no_other(build: Build) -> None:
    settings = ("dropout=0.5", "trainer.max_epochs=1")
    pair = trained([build(*settings, "seed=1"), build(*settings, "seed=2")])
    triple = trained([build(*settings, f"seed={seed}") for seed in (3, 1, 2)])
    for one, other in zip(pair, triple[1:], strict=True):
        assert without_clock(one.history.rows) == without_clock(other.history.rows)
