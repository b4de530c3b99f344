"""What a member of a stacked group saves and measures is what the run by itself does."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from commands import every
from experiments import Prepare
from members import EPOCHS, Build, assert_agree, options, solo, trained
from overnight.stacked.check import check
from overnight.stacked.loop import StackedLoop
from overnight.stacked.measurement import measure
from overnight.training.checkpoints import read_checkpoint
from overnight.training.measure import measure as measure_alone

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
    fitted = StackedLoop(members, check)
    fitted.fit(lambda epoch, count: None)
    for member, init, measured in zip(
        members, ("zeros", "torch_default"), measure(fitted, members), strict=True
    ):
        alone = solo(prepare, *settings, f"init={init}")
        paths = alone.saved()
        assert measured.keys() == {Path("checkpoints", path.name) for path in paths.values()}
        for path in paths.values():
            expected = measure_alone(alone.measuring, alone.task, alone.data, path)
            ours = measured[Path("checkpoints", path.name)]
            assert ours.epoch == read_checkpoint(path)["history"][-1]["epoch"]
            assert ours.metrics == pytest.approx(expected, rel=1e-3, abs=1e-5), member.config["init"]
