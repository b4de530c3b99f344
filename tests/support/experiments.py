"""What the tests share: composed configurations, the real images, short fits."""

import functools
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import hydra
import lightning as L
import pytest
from hydra import initialize_config_dir
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from commands import CONF
from fcnlab.synthetic import Synthetic
from fcnlab.task import Classifier
from overnight.config import resolvers
from overnight.data.in_memory import InMemoryData
from overnight.training import fit, parts
from overnight.training.history import History
from overnight.training.measure import build_measuring_trainer
from overnight.training.rows import Row

Compose = Callable[..., dict[str, Any]]

TINY = (
    "data=synthetic",
    "data.train_size=600",
    "data.test_size=100",
    "data.val_size=100",
    "data.batch_size=64",
    "trainer=cpu",
)
"""Overrides of a fit of a fraction of a second: 500 images, 8 steps an epoch, the last batch smaller."""

SMALL = ("logger=none", "optimizer=sgd", "model.hidden_sizes=[32,32]")
"""Overrides of a fit that is stacked and made alone, and compared."""

QUIET = ("logger=none", "callbacks=none")
"""Overrides of a fit that leaves nothing on disk."""


class Experiment(NamedTuple):
    """All the parts of a run, ready to train."""

    config: dict[str, Any]
    task: Classifier
    data: Synthetic
    trainer: L.Trainer
    measuring: L.Trainer
    history: History

    def fit(self, ckpt_path: str | None = None) -> dict[str, Any]:
        """Train, and say how it ended."""
        return fit.fit(self.trainer, self.measuring, self.task, self.data, self.history, ckpt_path)

    @property
    def rows(self) -> list[Row]:
        """What was measured, without what differs from time to time."""
        return [row | {"seconds": None} for row in self.history.rows]

    def saved(self) -> dict[str, Path]:
        """Return the paths of the checkpoints of the best and the last weights."""
        directory = Path(self.trainer.default_root_dir)
        saved = fit.saved_checkpoints(self.trainer, self.config)
        return {name: directory / path for name, path in saved.items()}


Prepare = Callable[..., Experiment]

resolvers.register()


@functools.cache
def compose_once(*overrides: str) -> tuple[DictConfig, DictConfig]:
    """Return the job's and Hydra's own configuration; cached, since composing takes 0.1 s."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = hydra.compose("train", list(overrides), return_hydra_config=True)
    job = OmegaConf.masked_copy(cfg, [str(key) for key in cfg if key != "hydra"])
    return job, OmegaConf.masked_copy(cfg, "hydra")


@pytest.fixture
def compose(tmp_path: Path) -> Iterator[Compose]:
    """Give overrides, get conf/train.yaml as a plain resolved dict; for a run in ``directory``."""

    def composed(*overrides: str, directory: Path = tmp_path) -> dict[str, Any]:
        job, hydra_config = compose_once(*overrides)
        OmegaConf.update(hydra_config, "hydra.runtime.output_dir", str(directory), force_add=True)
        HydraConfig.instance().cfg = hydra_config  # type: ignore[assignment]
        return OmegaConf.to_container(job, resolve=True, throw_on_missing=True)  # type: ignore[return-value]

    yield composed
    HydraConfig.instance().cfg = None


@pytest.fixture
def prepare(compose: Compose, tmp_path: Path) -> Prepare:
    """Give overrides, get a seeded experiment on a few synthetic images."""

    def prepared(*overrides: str) -> Experiment:
        directory = Path(tempfile.mkdtemp(dir=tmp_path))
        config = compose(*TINY, *overrides, directory=directory)
        L.seed_everything(config["seed"], verbose=False)
        task, data = parts.build(config)
        config = parts.informed(config, data)
        assert isinstance(data, Synthetic)
        assert isinstance(task, Classifier)
        history = History(config)
        trainer = parts.build_trainer(config, directory, history)
        measuring = build_measuring_trainer(config)
        return Experiment(config, task, data, trainer, measuring, history)

    return prepared


@pytest.fixture
def unread_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if any data is read."""

    def read(*_: object) -> None:
        pytest.fail("data was read")

    monkeypatch.setattr(InMemoryData, "setup", read)


@pytest.fixture
def configured(compose: Compose, tmp_path: Path) -> Callable[..., tuple[dict[str, Any], Path]]:
    """Give overrides, get the configuration of a small run and a folder of its own."""

    def made(*overrides: str) -> tuple[dict[str, Any], Path]:
        directory = Path(tempfile.mkdtemp(dir=tmp_path))
        return compose(*TINY, *SMALL, *overrides, directory=directory), directory

    return made
