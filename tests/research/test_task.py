"""The LightningModule: what a fit of it leaves in the history, and how it diverges."""

import math

import pytest

from experiments import QUIET, Prepare


def test_diverging_fit_stops_at_once_and_says_so(prepare: Prepare) -> None:
    experiment = prepare(*QUIET, "optimizer=sgd", "lr=1e30", "trainer.max_epochs=3")
    outcome = experiment.fit()
    assert (outcome["status"], outcome["error"]["type"]) == ("diverged", "DivergedError")
    assert [row["epoch"] for row in experiment.rows] == [0]
    assert experiment.trainer.global_step < 8


def test_history_of_a_fit(prepare: Prepare) -> None:
    experiment = prepare(*QUIET, "trainer.max_epochs=2")
    experiment.fit()
    before, first, second = experiment.history.rows
    assert [before["epoch"], first["epoch"], second["epoch"]] == [0, 1, 2]
    of_validation = {"val/loss", "val/acc", "test/loss", "test/acc"}
    assert {name for name, value in before.items() if value is not None} == {"epoch"} | of_validation
    assert first.keys() == second.keys() == before.keys() | {"train/loss", "train/acc"}
    assert None not in [*first.values(), *second.values()]
    assert before["val/loss"] == pytest.approx(math.log(10), rel=0.1)
