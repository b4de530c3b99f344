"""The LightningModule: divergence and history."""

import math

import pytest
import torch

from experiments import QUIET, Prepare
from overnight.training.history import DivergedError

ONE_EPOCH = "trainer.max_epochs=1"


def test_loss_that_is_not_a_number_stops_the_training_step(prepare: Prepare) -> None:
    task = prepare("logger=none").task
    images = torch.full((2, 1, 28, 28), math.nan)
    with pytest.raises(DivergedError, match="training loss is nan in epoch 1, step 4"):
        task.training_step((images, torch.tensor([0, 1])), batch_idx=3)


def test_diverging_fit_stops_at_once_and_says_so(prepare: Prepare) -> None:
    experiment = prepare(*QUIET, "optimizer=sgd", "lr=1e30", "trainer.max_epochs=3")
    outcome = experiment.fit()
    assert (outcome["status"], outcome["error"]["type"]) == ("diverged", "DivergedError")
    assert [row["epoch"] for row in experiment.task.history] == [0]
    assert experiment.trainer.global_step < 8


def test_history_of_a_fit(prepare: Prepare) -> None:
    experiment = prepare(*QUIET, "trainer.max_epochs=2")
    experiment.fit()
    before, first, second = experiment.task.history
    assert [before["epoch"], first["epoch"], second["epoch"]] == [0, 1, 2]
    absent = {key for key, value in before.items() if value is None}
    assert absent == {"train/loss", "train/acc", "lr", "seconds"}
    assert None not in [*first.values(), *second.values()]
    assert before["val/loss"] == pytest.approx(math.log(10), rel=0.1)
