"""Members of a stacked group, and the runs by themselves that they are compared with."""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from commands import CONF
from experiments import TINY, Compose, Experiment, Prepare
from overnight.stacked import layers, vmap
from overnight.stacked.check import check
from overnight.stacked.gates import constants
from overnight.stacked.grouping import by
from overnight.stacked.loop import StackedLoop
from overnight.stacked.member import Member
from overnight.training.rows import Row

Build = Callable[..., Member]

EPOCHS = "trainer.max_epochs"
TWO_SEEDS = ("seed=0", "seed=1")


def options(group: str) -> list[str]:
    return [f"{group}={path.stem}" for path in sorted((CONF / group).glob("*.yaml"))]


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
        StackedLoop(alike, check).fit(lambda epoch, count: None)
    return list(members)


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
