"""What is minimized, what is measured, and what goes into a checkpoint."""

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hydra
import lightning as L
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax

from conftest import QUIET, Compose, Experiment, Prepare
from fcnlab.checkpoints import read_checkpoint
from fcnlab.cli import CONF
from fcnlab.history import DivergedError
from fcnlab.losses import L1Penalty, OneHotMSE
from fcnlab.outcomes import Outcomes
from fcnlab.task import Classifier

SCHEDULERS = sorted(path.stem for path in (CONF / "scheduler").glob("*.yaml"))
ONE_EPOCH = "trainer.max_epochs=1"
PLAIN = {Tensor, bool, int, float, str, list, tuple, dict, OrderedDict, type(None)}


class LearningRates(L.Callback):
    """The learning rate of every step."""

    def __init__(self) -> None:
        self.used: list[float] = []

    def on_train_batch_start(
        self, trainer: L.Trainer, pl_module: L.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self.used.append(trainer.optimizers[0].param_groups[0]["lr"])


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(6, 10, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def labels() -> Tensor:
    return torch.tensor([0, 1, 2, 9, 9, 3])


@pytest.fixture
def fitted(prepare: Prepare) -> Experiment:
    """Return an experiment after one epoch: all that a net can have, and its checkpoints."""
    experiment = prepare("logger=none", ONE_EPOCH, "regularization=[dropout,batch_norm,early_stopping]")
    assert experiment.fit() == {"status": "completed"}
    return experiment


def checkpoints(experiment: Experiment) -> list[Path]:
    """Return best.ckpt and last.ckpt."""
    return sorted(Path(experiment.trainer.default_root_dir, "checkpoints").iterdir())


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.9])
def test_mean_squared_error_on_one_hot_targets(logits: Tensor, labels: Tensor, smoothing: float) -> None:
    total = 0.0
    for row, label in zip(logits.tolist(), labels.tolist(), strict=True):
        for index, logit in enumerate(row):
            target = (1 - smoothing) * (index == label) + smoothing / 10
            total += (logit - target) ** 2
    assert OneHotMSE(smoothing)(logits, labels).item() == pytest.approx(total / 60, rel=1e-5)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_only_the_training_loss_is_smoothed(
    compose: Compose, logits: Tensor, labels: Tensor, loss: str, smoothing: float
) -> None:
    config = compose(f"loss={loss}", f"label_smoothing={smoothing}")["task"]
    train, evaluated = (hydra.utils.instantiate(config[key])(logits, labels) for key in ("loss", "eval_loss"))
    plain = cross_entropy(logits, labels) if loss == "cross_entropy" else OneHotMSE()(logits, labels)
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
        prepare(*QUIET, ONE_EPOCH, "+trainer.limit_train_batches=1", "optimizer=sgd", "lr=0.01", f"l1={l1}")
        for l1 in (0, 1)
    )
    for experiment in (plain, penalized):
        experiment.fit()
    assert plain.task.history[1]["train/loss"] == penalized.task.history[1]["train/loss"]
    norms = [L1Penalty(1)(torch.zeros(()), experiment.task.net).item() for experiment in (plain, penalized)]
    assert norms[1] < norms[0]


@pytest.mark.parametrize(
    "sizes", [[6], [4, 2], [1, 5], [1, 1, 4]], ids=["one batch", "smaller last", "larger last", "three"]
)
def test_means_are_over_images_not_batches(logits: Tensor, labels: Tensor, sizes: list[int]) -> None:
    outcomes = Outcomes()
    for some_logits, some_labels in zip(logits.split(sizes), labels.split(sizes), strict=True):
        outcomes.add(cross_entropy(some_logits, some_labels), some_logits, some_labels)
    right = sum(row.argmax().item() == label for row, label in zip(logits, labels.tolist(), strict=True))
    assert outcomes.mean() == {
        "loss": pytest.approx(cross_entropy(logits, labels).item(), rel=1e-6),
        "acc": pytest.approx(right / 6, abs=1e-6),
    }


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


def pieces(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Walk a checkpoint: yield the path and the value of everything in it, containers and keys too."""
    yield path, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield f"{path} key", key
            yield from pieces(item, f"{path}/{key}")
    if isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from pieces(item, f"{path}/{index}")


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_checkpoints_hold_plain_things_only(prepare: Prepare, scheduler: str) -> None:
    experiment = prepare("logger=none", f"scheduler={scheduler}", ONE_EPOCH)
    experiment.fit()
    assert [path.name for path in checkpoints(experiment)] == ["best.ckpt", "last.ckpt"]
    for path in checkpoints(experiment):
        checkpoint = torch.load(path, weights_only=True)
        assert [(where, type(value)) for where, value in pieces(checkpoint) if type(value) not in PLAIN] == []
        assert checkpoint["config"] == experiment.config
        assert checkpoint["history"] == experiment.task.history
        assert len(checkpoint["lr_schedulers"]) == 1


def test_checkpoint_alone_gives_the_same_logits(fitted: Experiment) -> None:
    images = torch.randn(16, 1, 28, 28)
    expected = fitted.task.eval()(images)
    for path in checkpoints(fitted):
        loaded = Classifier.load_from_checkpoint(path)
        assert torch.equal(loaded.eval()(images), expected)
        assert loaded.config == fitted.config
        assert loaded.history == fitted.task.history


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_resumed_fit_ends_as_if_it_had_never_stopped(prepare: Prepare) -> None:
    settings = ("logger=none", "regularization=batch_norm", "scheduler=step")
    stopped = prepare(*settings, ONE_EPOCH)
    resumed, whole = (prepare(*settings, "trainer.max_epochs=2") for _ in range(2))
    stopped.fit()
    whole.fit()
    resumed.fit(ckpt_path=str(checkpoints(stopped)[-1]))
    assert without_clock(resumed) == without_clock(whole)
    for ours, theirs in zip(resumed.task.parameters(), whole.task.parameters(), strict=True):
        assert torch.equal(ours, theirs)


def without_clock(experiment: Experiment) -> list[dict[str, float | None]]:
    """Return the history without what differs from run to run."""
    return [{key: row[key] for key in row if key != "seconds"} for row in experiment.task.history]


def truncated(checkpoint: Path) -> bytes:
    return checkpoint.read_bytes()[: checkpoint.stat().st_size // 2]


def foreign(checkpoint: Path) -> bytes:
    torch.save({"state_dict": {}}, checkpoint)
    return checkpoint.read_bytes()


def another_module(checkpoint: Path) -> bytes:
    torch.save(nn.Linear(1, 1), checkpoint)
    return checkpoint.read_bytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(truncated, "cannot be read", id="truncated"),
        pytest.param(another_module, "cannot be read", id="pickled module"),
        pytest.param(lambda _: b"", "cannot be read", id="empty"),
        pytest.param(lambda _: b"# Title\n", "cannot be read", id="text"),
        pytest.param(foreign, "is a file of something else", id="foreign"),
    ],
)
def test_what_is_no_checkpoint_is_refused(
    fitted: Experiment, tmp_path: Path, content: Callable[[Path], bytes], message: str
) -> None:
    path = tmp_path / "some.ckpt"
    path.write_bytes(checkpoints(fitted)[0].read_bytes())
    path.write_bytes(content(path))
    with pytest.raises(ValueError, match=message) as refused:
        Classifier.load_from_checkpoint(path)
    assert str(path) in str(refused.value)
    assert "Needed: a checkpoint that train.py wrote" in str(refused.value)


@pytest.mark.parametrize("name", ["missing.ckpt", "."], ids=["no such file", "a folder"])
def test_missing_checkpoint_says_what_to_type(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match="outputs/runs/TIME") as refused:
        read_checkpoint(tmp_path / name)
    assert str(tmp_path / name) in str(refused.value)


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
