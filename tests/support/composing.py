"""Hydra composes hundreds of commands in one process, and does nothing of it twice."""

import pickle
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from hydra._internal import defaults_list
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.hydra import Hydra
from hydra.core.object_type import ObjectType
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.plugins.config_source import ConfigResult
from hydra.types import RunMode
from omegaconf import DictConfig

read_again = ConfigRepository.load_config
merge_again = ConfigLoaderImpl._compose_config_from_defaults_list
map_again = defaults_list._create_interpolation_map
compose_again = ConfigLoaderImpl.load_configuration
ask_again = Hydra.get_mode


def read_once() -> None:
    """Keep what Hydra reads from files, and give a copy until the file changes.

    A process of a user's reads conf/ for one command. The tests type hundreds of commands in one process, and
    composing would take a third of their time. What is given are copies by ``pickle``, which takes a sixth of
    the time of ``deepcopy``.
    """
    known: dict[Hashable, bytes] = {}

    def read(repository: ConfigRepository, config_path: str) -> ConfigResult | None:
        key = identified(repository, config_path)
        if key is None:
            return read_again(repository, config_path)
        if key not in known:
            known[key] = pickle.dumps(read_again(repository, config_path))
        result: ConfigResult | None = pickle.loads(known[key])  # noqa: S301
        return result

    ConfigRepository.load_config = read  # type: ignore[assignment]


def identified(repository: Any, config_path: str) -> Hashable:
    """Return what is another if the file of a configuration is; None where there is no such file."""
    source = repository._find_object_source(config_path, ObjectType.CONFIG)
    if source is None or source.scheme() not in {"file", "pkg"}:
        return None
    file = Path(source.path, f"{config_path.removesuffix('.yaml')}.yaml")
    stat = file.stat() if source.scheme() == "file" else None
    return source.full_path(), source.provider, config_path, stat and (stat.st_mtime_ns, stat.st_ino)


def merge_once() -> None:
    """Merge the same files once, and note once what may be interpolated in their defaults."""
    known: dict[Hashable, bytes] = {}
    maps: dict[str, DictConfig] = {}

    def merge(loader: Any, defaults: list[Any], repo: Any) -> DictConfig:
        repository = repo
        while hasattr(repository, "delegate"):
            repository = repository.delegate
        files = [identified(repository, str(default.config_path)) for default in defaults]
        key = (repr(defaults), *files)
        if key not in known:
            known[key] = pickle.dumps(merge_again(loader, defaults, repo))
        config: DictConfig = pickle.loads(known[key])  # noqa: S301
        return config

    def note(overrides: Any, defaults: list[Any], self_added: bool) -> DictConfig:
        key = repr((overrides.known_choices, defaults, self_added))
        if key not in maps:
            maps[key] = map_again(overrides, defaults, self_added)
        return maps[key]

    ConfigLoaderImpl._compose_config_from_defaults_list = merge  # type: ignore[assignment]
    defaults_list._create_interpolation_map = note  # type: ignore[assignment]


def compose_once() -> None:
    """Let Hydra run what it composed to see ``hydra.mode``; it would compose the same a second time."""

    def ask(hydra: Any, config_name: str, overrides: list[str]) -> Any:
        loader = hydra.config_loader
        for mode in (RunMode.RUN, RunMode.MULTIRUN):
            single = mode == RunMode.RUN
            try:
                config = compose_again(loader, config_name, overrides, mode, validate_sweep_overrides=single)
            except Exception:  # noqa: BLE001, S112 - as Hydra's get_mode, which lets the run complain
                continue
            loader.composed = (mode, (config_name, *overrides), config)
            return config.hydra.mode
        return None

    def compose(loader: Any, config_name: str, overrides: list[str], run_mode: RunMode, **said: Any) -> Any:
        composed_for, typed, config = vars(loader).pop("composed", (None, None, None))
        mode = f"hydra.mode={run_mode.name}"
        if composed_for not in {RunMode.RUN, run_mode}:
            return compose_again(loader, config_name, overrides, run_mode, **said)
        if run_mode == RunMode.MULTIRUN:
            parsed = OverridesParser.create().parse_overrides(overrides)
            loader.validate_sweep_overrides_legal(parsed, run_mode, from_shell=True)
        if typed == (config_name, *overrides):
            return config
        if config.hydra.mode is None and (*typed, mode) == (config_name, *overrides):
            config.hydra.mode = run_mode
            config.hydra.overrides.hydra.append(mode)
            return config
        return compose_again(loader, config_name, overrides, run_mode, **said)

    Hydra.get_mode = ask  # type: ignore[assignment]
    ConfigLoaderImpl.load_configuration = compose  # type: ignore[assignment]
