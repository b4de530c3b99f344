"""Losses and penalties, and what is reported of them."""

import hydra
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax, one_hot

from experiments import QUIET, Compose, Prepare
from fcnlab.losses import MSE, L1Penalty

ONE_STEP = ("trainer.max_epochs=1", "+trainer.limit_train_batches=1")


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(6, 10, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels() -> Tensor:
    return torch.tensor([0, 1, 2, 9, 9, 3])


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_mean_squared_error_on_one_hot_targets(logits: Tensor, labels: Tensor, smoothing: float) -> None:
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        for index, logit in enumerate(row):
            target = (1 - smoothing) * (index == label) + smoothing / 10
            total += (logit - target) ** 2
    assert MSE(smoothing)(logits, labels).item() == pytest.approx(total / 60, rel=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_certain_probabilities_count_as_labels(logits: Tensor, labels: Tensor, smoothing: float) -> None:
    loss = MSE(smoothing)
    torch.testing.assert_close(loss(logits, one_hot(labels, 10).float()), loss(logits, labels))


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_only_the_training_loss_is_smoothed(
    compose: Compose, logits: Tensor, labels: Tensor, loss: str, smoothing: float
) -> None:
    config = compose(f"loss={loss}", f"label_smoothing={smoothing}")["task"]
    train, evaluated = (hydra.utils.instantiate(config[key])(logits, labels) for key in ("loss", "eval_loss"))
    plain = cross_entropy(logits, labels) if loss == "cross_entropy" else MSE()(logits, labels)
    torch.testing.assert_close(evaluated, plain)
    assert torch.equal(train, evaluated) == (smoothing == 0)


def test_smoothed_cross_entropy_is_a_mixture(compose: Compose, logits: Tensor, labels: Tensor) -> None:
    loss = hydra.utils.instantiate(compose("regularization=label_smoothing")["task"]["loss"])
    expected = 0.9 * cross_entropy(logits, labels) - 0.1 * log_softmax(logits, 1).mean()
    torch.testing.assert_close(loss(logits, labels), expected)


def net_of_ones() -> nn.Sequential:
    """Return a net with 6 + 2 weights; they, the biases and a normalization's parameters are all -1."""
    net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2), nn.Linear(2, 1))
    for parameter in net.parameters():
        nn.init.constant_(parameter, -1)
    return net


@pytest.mark.parametrize(("strength", "expected"), [(0.5, 4.0), (0.0, 0.0)], ids=["on", "off"])
def test_l1_penalty_is_the_sum_of_absolute_weights(strength: float, expected: float) -> None:
    assert L1Penalty(strength)(torch.zeros(()), net_of_ones()).item() == expected


def test_gradient_of_the_l1_penalty_is_the_sign() -> None:
    net = net_of_ones()
    L1Penalty(0.5)(torch.zeros(()), net).backward()
    gradients = [parameter.grad for parameter in net.parameters()]
    for parameter, gradient in zip(net.parameters(), gradients, strict=True):
        expected = torch.full_like(parameter, -0.5) if parameter.ndim == 2 else None
        assert (gradient is None) == (expected is None)
        assert gradient is None or torch.equal(gradient, expected)  # type: ignore[arg-type]


def test_penalty_is_minimized_but_not_reported(prepare: Prepare) -> None:
    plain, penalized = (
        prepare(
            *QUIET,
            "trainer.max_epochs=1",
            "+trainer.limit_train_batches=1",
            "optimizer=sgd",
            "lr=0.01",
            f"l1={l1}",
        )
        for l1 in (0, 1)
    )
    for experiment in (plain, penalized):
        experiment.fit()
    assert plain.rows[1]["train/loss"] == penalized.rows[1]["train/loss"]
    norms = [L1Penalty(1)(torch.zeros(()), experiment.task.net).item() for experiment in (plain, penalized)]
    assert norms[1] < norms[0]


@pytest.mark.parametrize(
    "sizes", [[6], [4, 2], [1, 5], [1, 1, 4]], ids=["one batch", "smaller last", "larger last", "three"]
)
def test_means_are_over_images_not_batches(
    prepare: Prepare, logits: Tensor, labels: Tensor, sizes: list[int]
) -> None:
    batches = zip(logits.split(sizes), labels.split(sizes), strict=True)
    losses = torch.stack([cross_entropy(*batch) for batch in batches])
    measured = prepare(*QUIET).task.measured(losses, torch.tensor(sizes), logits, labels)
    right = sum(row.argmax().item() == label for row, label in zip(logits, labels.tolist(), strict=True))
    assert {name: value.item() for name, value in measured.items()} == {
        "loss": pytest.approx(cross_entropy(logits, labels).item(), rel=1e-6),
        "acc": pytest.approx(right / 6, abs=1e-6),
    }
