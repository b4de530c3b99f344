"""Checkpoints: what is in them, what goes on from them, what is refused."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from commands import CONF
from experiments import Experiment, Prepare
from fcnlab.task import Classifier
from overnight.training.checkpoints import read_checkpoint

SCHEDULERS = sorted(path.stem for path in (CONF / "scheduler").glob("*.yaml"))
ONE_EPOCH = "trainer.max_epochs=1"
PLAIN = {Tensor, bool, int, float, str, list, tuple, dict, OrderedDict, type(None)}


@pytest.fixture
def fitted(prepare: Prepare) -> Experiment:
    """Return an experiment after one epoch: all that a net can have, and its checkpoints."""
    experiment = prepare("logger=none", ONE_EPOCH, "regularization=[dropout,batch_norm,early_stopping]")
    assert experiment.fit() == {"status": "completed"}
    return experiment


def checkpoints(experiment: Experiment) -> list[Path]:
    """Return best.ckpt and last.ckpt."""
    return sorted(experiment.saved().values())


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
        assert checkpoint["history"] == experiment.history.rows
        assert len(checkpoint["lr_schedulers"]) == 1


def test_checkpoint_alone_gives_the_same_logits(fitted: Experiment) -> None:
    images = torch.randn(16, 1, 28, 28)
    expected = fitted.task.eval()(images)
    for path in checkpoints(fitted):
        loaded = Classifier.load_from_checkpoint(path)
        assert torch.equal(loaded.eval()(images), expected)


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
def test_resumed_fit_ends_as_if_it_had_never_stopped(prepare: Prepare) -> None:
    settings = ("logger=none", "regularization=batch_norm", "scheduler=step")
    stopped = prepare(*settings, ONE_EPOCH)
    resumed, whole = (prepare(*settings, "trainer.max_epochs=2") for _ in range(2))
    stopped.fit()
    whole.fit()
    resumed.fit(ckpt_path=str(checkpoints(stopped)[-1]))
    assert resumed.rows == whole.rows
    for ours, theirs in zip(resumed.task.parameters(), whole.task.parameters(), strict=True):
        assert torch.equal(ours, theirs)


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
