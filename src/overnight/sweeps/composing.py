"""Hydra's loader of configurations, without what it does again and again for every job of a sweep."""

import pickle
from collections.abc import Sequence
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository
from hydra.plugins.config_source import ConfigResult
from omegaconf import DictConfig, OmegaConf


class ComposingOnce(ConfigLoaderImpl):
    """Composes each job once, and four times as fast; the configurations are the same.

    Hydra does it twice: for the sweeper, which sees whether it can be done, and then for the launcher.
    """

    def __init__(self, loader: Any) -> None:
        super().__init__(loader.get_search_path())
        repository: Any = ReadingOnce(loader.repository)
        self.repository = repository
        self._checked: dict[tuple[str, ...], DictConfig] = {}
        self._merged: dict[str, bytes] = {}

    def look_ahead(self, master_config: DictConfig, sweep_overrides: Sequence[str]) -> DictConfig:
        """Compose a job that may be run later, and keep it until then."""
        typed = tuple(sweep_overrides)
        if typed not in self._checked:
            self._checked[typed] = super().load_sweep_config(master_config, list(typed))
        return self._checked[typed]

    def load_sweep_config(self, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        """Return a job that was looked at, once; else compose it."""
        checked = self._checked.pop(tuple(sweep_overrides), None)
        if checked is None:
            return super().load_sweep_config(master_config, sweep_overrides)
        OmegaConf.copy_cache(from_config=master_config, to_config=checked)
        return checked

    def _compose_config_from_defaults_list(self, defaults: Any, repo: Any) -> DictConfig:
        """Merge the same files once: jobs that choose the same options differ in values that come later."""
        key = repr(defaults)
        if key not in self._merged:
            self._merged[key] = pickle.dumps(super()._compose_config_from_defaults_list(defaults, repo))
        merged: DictConfig = pickle.loads(self._merged[key])  # noqa: S301 - our own
        return merged

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what was composed: a job in another process composes nothing."""
        return vars(self) | {"repository": None, "_checked": {}, "_merged": {}}


class ReadingOnce(CachingConfigRepository):
    """Reads each file of conf/ once; Hydra reads all of them again for each job."""

    def __init__(self, delegate: Any) -> None:
        super().__init__(delegate)
        self._read: dict[str, bytes] = {}

    def load_config(self, config_path: str) -> ConfigResult | None:
        """Return a copy: Hydra changes what it composes from. ``deepcopy`` would take six times as long."""
        if config_path not in self._read:
            self._read[config_path] = pickle.dumps(super().load_config(config_path))
        copied: ConfigResult | None = pickle.loads(self._read[config_path])  # noqa: S301 - our own
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> "ReadingOnce":
        """Return itself: Hydra copies the repository for each job, which would forget."""
        return self
