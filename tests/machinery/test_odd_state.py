"""What modules and data keep besides a state_dict is there in a run that goes on, and what they draw."""

from pathlib import Path

import pytest

from commands import Command
from foreign_runs import TRAIN, module, once, recorded, resume

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
    pytest.mark.filterwarnings(
        "ignore:The provided params to be frozen already exist"
    ),  # of BackboneFinetuning
]
FINETUNED = (
    "+callbacks.tuned={_target_:lightning.pytorch.callbacks.BackboneFinetuning,unfreeze_backbone_at_epoch:0}"
)
OFTEN = "+trainer.reload_dataloaders_every_n_epochs=1"


def odd(name: str) -> tuple[str, ...]:
    """Return the overrides of a run of one of these modules."""
    return (*module("regressor"), f"task._target_={name}")


RESUMED = {
    "plateau": odd("odd_logging.Plateau"),
    "tuned": (*odd("odd_logging.Pretrained"), FINETUNED),
    "frozen at its start": odd("odd_logging.FrozenAtStart"),
    "best so far": (*odd("odd_logging.BestSoFar"), "lr=0.5"),  # it gets worse
    "changing": odd("odd_state.Changing"),
    "keeping": odd("odd_state.Keeping"),
    "double precision": (*odd("foreign.modules.Regressor"), "+trainer.precision=64-true"),
    "growing data": (*odd("odd_state.Counting"), "data._target_=odd_state.GrowingLine", OFTEN),
    "split at loading": (*odd("foreign.modules.Regressor"), "data._target_=odd_state.SplitAtLoading"),
}


@pytest.mark.parametrize("typed", RESUMED.values(), ids=RESUMED.keys())
def test_resumed_it_has_what_no_state_dict_has(
    typed: tuple[str, ...], command: Command, tmp_path: Path
) -> None:
    assert resume(command, tmp_path, *typed)["checked"] is True


def test_a_metric_that_is_reset_in_a_hook_can_be_trained(command: Command, tmp_path: Path) -> None:
    assert command(TRAIN, *odd("odd_state.Resetting")).status == 0
    assert "val_error" in recorded(tmp_path)["best"]


def test_data_that_grow_are_validated_after_each_epoch_and_at_no_other_time(
    command: Command, tmp_path: Path
) -> None:
    typed = ("data._target_=odd_state.GrowingLine", OFTEN)
    assert command(TRAIN, *odd("odd_state.Counting"), *typed).status == 0
    assert [row["val_number"] for row in recorded(tmp_path)["history"]] == [0.0, 1.0, 2.0, 3.0]


def test_loaders_that_are_made_in_other_epochs_are_told_of(command: Command, tmp_path: Path) -> None:
    run = (
        *odd("foreign.modules.Regressor"),
        OFTEN.replace("=1", "=2"),
        once(tmp_path / "marker", kill=False),
    )
    command(TRAIN, *run)
    resumed = command(TRAIN, *run, "ckpt_path=last")
    assert "reload_dataloaders_every_n_epochs=2 counts from here on" in resumed.stdout + resumed.stderr


@pytest.mark.parametrize(
    ("name", "told", "typed"),
    [
        ("Elsewhere", "Line.stage, task.rng", ()),
        ("Exchanging", "task.bags.1.2, task.phase, task.plan", ()),
        ("Regressor", "Shadowing.shadow", ("+callbacks.mine={_target_:odd_state.Shadowing}",)),
    ],
)
def test_what_has_changed_and_is_in_no_checkpoint_is_told_of(
    name: str, told: str, typed: tuple[str, ...], command: Command, tmp_path: Path
) -> None:
    run = (*odd(f"odd_state.{name}"), *typed, once(tmp_path / "marker", kill=False))
    command(TRAIN, *run)
    resumed = command(TRAIN, *run, "ckpt_path=last")
    assert f"{told}: changed in training, and in no checkpoint" in resumed.stdout + resumed.stderr
