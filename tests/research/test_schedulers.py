"""The learning rate of every step, under each scheduler."""

import math
from typing import Any

import lightning as L
import pytest
import torch

from experiments import QUIET, Prepare
from overnight.training.schedules import WarmupCosineLR

ONE_EPOCH = "trainer.max_epochs=1"


class LearningRates(L.Callback):
    """The learning rate of every step."""

    def __init__(self) -> None:
        self.used: list[float] = []

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self.used.append(trainer.optimizers[0].param_groups[0]["lr"])


def learning_rates(prepare: Prepare, *overrides: str) -> list[float]:
    """Train on 8 batches an epoch, with lr=0.01; return the learning rate of every step."""
    experiment = prepare(*QUIET, "lr=0.01", *overrides)
    callback = LearningRates()
    experiment.trainer.callbacks.append(callback)  # type: ignore[attr-defined]
    assert experiment.fit()["status"] == "completed"
    return callback.used


def test_without_a_scheduler_the_learning_rate_stays(prepare: Prepare) -> None:
    assert learning_rates(prepare, "scheduler=none", "trainer.max_epochs=7") == [0.01] * 56


def test_cosine_falls_to_nearly_nothing(prepare: Prepare) -> None:
    steps = 24
    expected = [0.005 * (1 + math.cos(math.pi * step / steps)) for step in range(steps)]
    assert learning_rates(prepare, "scheduler=cosine", "trainer.max_epochs=3") == pytest.approx(expected)
    assert expected[-1] < 0.01 / 200


def test_one_cycle_rises_and_falls(prepare: Prepare) -> None:
    used = learning_rates(prepare, "scheduler=one_cycle", "trainer.max_epochs=5")
    peak = used.index(max(used))
    assert peak == round(0.3 * 40) - 1
    assert used[peak] == pytest.approx(0.01)
    assert used[: peak + 1] == sorted(used[: peak + 1])
    assert used[peak:] == sorted(used[peak:], reverse=True)
    assert used[-1] < used[0] < 0.01 / 20


def test_warmup_cosine_rises_to_lr_and_falls_to_nothing(prepare: Prepare) -> None:
    used = learning_rates(prepare, "scheduler=warmup_cosine", "trainer.max_epochs=5")
    assert used[:3] == pytest.approx([0.01 / 3, 0.02 / 3, 0.01])  # 5 % of 40 steps
    assert used[2:] == pytest.approx([0.005 * (1 + math.cos(math.pi * step / 38)) for step in range(38)])
    assert used[-1] < 0.01 / 500


@pytest.mark.parametrize("steps", [1, 7, 1000])
def test_warmup_cosine_ends_at_nothing_whatever_the_length(steps: int) -> None:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    schedule = WarmupCosineLR(optimizer, steps, warmup=0.05)
    rates = []
    for _ in range(steps):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert max(rates) == rates[steps // 20] == pytest.approx(0.1)
    assert schedule.get_last_lr() == [0]


def test_step_drops_after_every_step_size_epochs(prepare: Prepare) -> None:
    used = learning_rates(
        prepare, "scheduler=step", "scheduler.scheduler.step_size=2", "trainer.max_epochs=5"
    )
    assert used == pytest.approx([0.01] * 16 + [0.001] * 16 + [0.0001] * 8)


@pytest.mark.parametrize(
    ("threshold", "last"),
    [
        pytest.param(1000, 0.001, id="nothing counts as better"),
        pytest.param(-1000, 0.01, id="everything counts as better"),
    ],
)
def test_plateau_drops_after_its_patience(prepare: Prepare, threshold: float, last: float) -> None:
    used = learning_rates(
        prepare,
        "scheduler=plateau",
        f"+scheduler.scheduler.threshold={threshold}",
        "+scheduler.scheduler.threshold_mode=abs",
        "trainer.max_epochs=5",
    )
    assert used == pytest.approx([0.01] * 32 + [last] * 8)  # the best, two without improvement, one more
