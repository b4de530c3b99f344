"""The LightningModule: what a fit of it leaves in the history, and how it diverges."""

import math
from typing import Any

import pytest
import torch
from lightning.pytorch.callbacks import WeightAveraging

from experiments import QUIET, Compose, Prepare
from overnight.training import parts
from overnight.training.averaging import average


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


def test_a_module_can_be_validated_twice_in_a_row(prepare: Prepare) -> None:
    experiment = prepare(*QUIET)
    first, again = (
        experiment.trainer.validate(experiment.task, experiment.data, verbose=False) for _ in range(2)
    )
    assert first == again


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "adagrad"])
def test_weight_decay_shrinks_matrices_alone(optimizer: str, compose: Compose) -> None:
    settings = ("regularization=batch_norm", "weight_decay=0.5", "init=torch_default")
    task, _ = parts.build(compose(f"optimizer={optimizer}", *settings))
    before = {name: p.detach().clone() for name, p in task.named_parameters()}
    description: Any = task.configure_optimizers()
    for parameter in task.parameters():
        parameter.grad = torch.zeros_like(parameter)
    description["optimizer"].step()
    for name, parameter in task.named_parameters():
        assert torch.equal(parameter, before[name]) == (parameter.ndim == 1), name
        assert parameter.norm() <= before[name].norm()


def test_without_weight_decay_the_optimizer_has_one_group(prepare: Prepare) -> None:
    experiment = prepare(*QUIET, "trainer.max_epochs=1", "+trainer.limit_train_batches=1")
    experiment.fit()
    (group,) = experiment.trainer.optimizers[0].param_groups
    assert group["params"] == list(experiment.task.net.parameters())


def test_an_average_forgets_its_beginning_soon_and_little_later() -> None:
    mean, counter = torch.zeros(1), torch.zeros((), dtype=torch.long)
    for updates, kept in {0: 0.1, 1: 2 / 11, 90: 0.91, 10**6: 0.999}.items():
        mean.fill_(1.0)
        average(0.999, [mean, counter], [torch.zeros(1), torch.tensor(7)], torch.tensor(updates))
        assert mean.item() == pytest.approx(kept)
    assert counter.item() == 7


def test_validation_and_checkpoints_have_the_average_of_the_weights(prepare: Prepare) -> None:
    experiment = prepare("logger=none", "regularization=[ema,batch_norm]", "trainer.max_epochs=2")
    experiment.fit()
    (callback,) = (c for c in experiment.trainer.callbacks if isinstance(c, WeightAveraging))  # type: ignore[attr-defined]
    saved = torch.load(experiment.saved()["last"], weights_only=True)
    averaged, current = saved["state_dict"], saved["current_model_state"]
    assert all(torch.equal(tensor, averaged[name]) for name, tensor in experiment.task.state_dict().items())
    assert callback.state_dict() == {"latest_update_step": 16}
    assert not torch.equal(averaged["net.output.weight"], current["net.output.weight"])
