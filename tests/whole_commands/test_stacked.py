"""A member of a stacked group is the run that it would be by itself."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from scipy.stats import ks_2samp
from torch import Generator, Tensor

from commands import CONF, every
from experiments import TINY, Compose, Experiment, Prepare
from overnight.stacked import layers, vmap
from overnight.stacked.gates import constants
from overnight.stacked.grouping import by
from overnight.stacked.loop import StackedLoop
from overnight.stacked.measurement import measure
from overnight.stacked.member import Member
from overnight.stacked.proof import check_step
from overnight.training import fit
from overnight.training.rows import Row

Build = Callable[..., Member]

EPOCHS = "trainer.max_epochs"
TWO_SEEDS = ("seed=0", "seed=1")


def options(group: str) -> list[str]:
    return [f"{group}={path.stem}" for path in sorted((CONF / group).glob("*.yaml"))]


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


@pytest.fixture
def build(compose: Compose, tmp_path: Path) -> Build:
    """Give overrides, get a member on a few synthetic images."""

    def built(*overrides: str) -> Member:
        directory = Path(tempfile.mkdtemp(dir=tmp_path))
        return Member(compose(*TINY, "logger=none", *overrides, directory=directory), directory)

    return built


def dropout_of_torch(inputs: Tensor, probability: float, generators: Sequence[Generator]) -> Tensor:
    """Draw what ``torch.nn.Dropout`` draws on the CPU, which takes three times as long.

    With it runs with dropout, too, can be compared number by number.
    """
    drawn = [
        torch.empty(part.shape, dtype=inputs.dtype).bernoulli_(1 - probability, generator=generator)
        for part, generator in zip(inputs, generators, strict=True)
    ]
    return inputs * torch.stack(drawn).div_(1 - probability)


@pytest.fixture
def masks_of_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layers, "DROPOUT", vmap.function_with(dropout_of_torch))


def trained(members: Sequence[Member]) -> list[Member]:
    for alike in by(members, key=lambda member: constants(member.task)):
        StackedLoop(alike).fit(lambda epoch, count: None, check_step)
    return list(members)


def without_clock(history: Sequence[Row]) -> list[Row]:
    return [row | {"seconds": None} for row in history]


def solo(prepare: Prepare, *overrides: str) -> Experiment:
    experiment = prepare("logger=none", *overrides)
    experiment.fit()
    return experiment


def assert_agree(rows: tuple[Row, Row], tolerance: float) -> None:
    """Compare two rows of histories: losses to the relative tolerance, accuracies to two images."""
    ours, theirs = rows
    assert ours.keys() == theirs.keys()
    for name, value in theirs.items():
        if value is None or name == "seconds":
            assert (ours[name] is None) == (value is None), name
        else:
            absolute = 0.02 if name.endswith("acc") and tolerance > 1e-4 else 1e-6
            assert ours[name] == pytest.approx(value, rel=tolerance, abs=absolute), name


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


NOT_COMPARED = {"config", "history", "seconds"}


def assert_same(ours: Any, theirs: Any, path: str = "") -> None:
    """Compare checkpoints: all but the folder, the clock and the last bits."""
    if isinstance(theirs, dict):
        keys = [[Path(str(key)).name for key in part if key not in NOT_COMPARED] for part in (ours, theirs)]
        assert keys[0] == keys[1], path
        for key, other in zip(ours, theirs, strict=True):
            if key not in NOT_COMPARED:
                assert_same(ours[key], theirs[other], f"{path}/{key}")
    elif isinstance(theirs, list | tuple):
        assert len(ours) == len(theirs), path
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            assert_same(*pair, f"{path}/{number}")
    elif isinstance(theirs, Tensor):
        torch.testing.assert_close(ours, theirs, rtol=1e-3, atol=1e-4, msg=lambda told: f"{path}: {told}")
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-4), path
    else:
        assert Path(str(ours)).name == Path(str(theirs)).name, path


@pytest.mark.usefixtures("masks_of_torch")
@pytest.mark.parametrize("scheduler", every(3, options("scheduler")))
def test_checkpoints_hold_what_lightning_would_save(scheduler: str, build: Build, prepare: Prepare) -> None:
    rounded = "+optimizer.eps=1e-5"  # else Adam makes whole steps of gradients that are but rounding
    settings = (scheduler, "regularization=[dropout,early_stopping]", "trainer.max_epochs=3", rounded)
    member, _ = trained([build(*settings), build(*settings, "lr=0.1")])
    alone = solo(prepare, *settings)
    for name in ("best.ckpt", "last.ckpt"):
        held = member.checkpoint(Path("checkpoints", name))
        theirs = torch.load(Path(alone.trainer.default_root_dir, "checkpoints", name), weights_only=True)
        assert held
        assert held["history"] == member.history.rows[: len(theirs["history"])]
        assert theirs["loops"]["fit_loop"]["epoch_loop.state_dict"]["_batches_that_stepped"] > 0
        assert_same(held, theirs)


@pytest.mark.usefixtures("masks_of_torch")
@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_a_run_goes_on_from_the_checkpoint_of_a_member(
    build: Build, prepare: Prepare, tmp_path: Path
) -> None:
    settings = ("regularization=[dropout,layer_norm]", "scheduler=step")
    member, _ = trained([build(*settings, f"{EPOCHS}=2"), build(*settings, f"{EPOCHS}=2", "lr=0.1")])
    path = tmp_path / "last.ckpt"
    torch.save(member.checkpoint(Path("checkpoints", "last.ckpt")), path)
    resumed = prepare("logger=none", *settings, f"{EPOCHS}=4")
    resumed.fit(ckpt_path=str(path))
    whole = solo(prepare, *settings, f"{EPOCHS}=4")
    for rows in zip(resumed.history.rows, whole.history.rows, strict=True):
        assert_agree(rows, 1e-4)


@pytest.mark.usefixtures("masks_of_torch")
def test_best_and_last_are_measured_as_by_a_run_by_itself(build: Build, prepare: Prepare) -> None:
    settings = ("regularization=dropout", f"{EPOCHS}=3", "track_test=false", "lr=0.01")
    members = [build(*settings, "init=zeros"), build(*settings)]
    fitted = StackedLoop(members)
    fitted.fit(lambda epoch, count: None, check_step)
    for member, init, measured in zip(
        members, ("zeros", "torch_default"), measure(fitted, members), strict=True
    ):
        alone = solo(prepare, *settings, f"init={init}")
        paths = alone.saved()
        assert measured.keys() == {Path("checkpoints", path.name) for path in paths.values()}
        for path in paths.values():
            expected = fit.measure_checkpoint(alone.measuring, alone.task, alone.data, path)
            ours = measured[Path("checkpoints", path.name)]
            assert ours.epoch == expected.epoch
            assert ours.metrics == pytest.approx(expected.metrics, rel=1e-3, abs=1e-5), member.config["init"]


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
