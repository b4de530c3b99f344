"""What is composed is what Hydra composes, however often: by a sweep, and by the tests themselves."""

from typing import Any

import pytest
from hydra._internal import defaults_list
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.utils import setup_globals
from hydra.types import RunMode
from omegaconf import OmegaConf

import composing
from commands import CONF, SHORT, Command, every
from overnight.sweeps.composing import ComposingOnce


def test_composing_once_changes_no_configuration() -> None:
    setup_globals()
    typed = [["optimizer=sgd", "lr=0.1"], ["model=deep", "regularization=[dropout,batch_norm]"], ["seed=1"]]

    def composed(*, remember: bool) -> list[Any]:
        loader: Any = ConfigLoaderImpl(create_config_search_path(str(CONF)))
        loader = ComposingOnce(loader) if remember else loader
        sweep = loader.load_configuration("train", [], RunMode.MULTIRUN)
        for overrides in typed if remember else ():
            loader.look_ahead(sweep, overrides)
        configs = [loader.load_sweep_config(sweep, overrides) for overrides in (*typed, *typed)]
        return [OmegaConf.to_container(config, resolve=False) for config in configs]

    assert composed(remember=True) == composed(remember=False)


TYPED = (
    "lr=0.5",
    "-m lr=0.5",
    "-m lr=0.5,0.1",
    "experiment=init",
    "experiment=init hydra.mode=RUN",
    "-m hydra.mode=RUN",
    "lr=0.5,0.1",
    "optimizer=adm",
    "-m optimizer=adm,sgd",
    "-m lr=0.5,0.1 hydra.sweep.dir=a,b",
    "hparams_search=tpe",
    "experiment=init seed=1,2 lr=0.1",
)


@pytest.mark.parametrize("typed", every(4, TYPED))
def test_what_the_tests_compose_once_is_what_hydra_composes_again(
    typed: str, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[Any] = []
    compose = Hydra.compose_config

    def look(hydra: Hydra, *given: Any, with_log_configuration: bool = False, **named: Any) -> Any:
        config = compose(hydra, *given, **named)
        if with_log_configuration:  # of what is to run
            found.append(OmegaConf.to_container(config, resolve=False))
            raise KeyboardInterrupt
        return config

    monkeypatch.setattr(Hydra, "compose_config", look)
    once = command("train.py", *SHORT, *typed.split())
    monkeypatch.setattr(Hydra, "get_mode", composing.ask_again)
    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", composing.compose_again)
    monkeypatch.setattr(ConfigRepository, "load_config", composing.read_again)
    monkeypatch.setattr(ConfigLoaderImpl, "_compose_config_from_defaults_list", composing.merge_again)
    monkeypatch.setattr(defaults_list, "_create_interpolation_map", composing.map_again)
    assert command("train.py", *SHORT, *typed.split()) == once
    assert len(found) == (0 if once.stderr.startswith("Error") else 2)
    assert found[:1] == found[1:]
