"""The sweeper of a search. Hydra imports this at every start: only Hydra may stand at the top."""

from pathlib import Path
from typing import Any

from hydra_plugins.overnight_sweeper import LaunchingSweeper


class OptunaSweeper(LaunchingSweeper):
    """What ``conf/hydra/sweeper/optuna.yaml`` builds; its keys are described there."""

    def __init__(self, params: dict[str, Any], **settings: Any) -> None:
        self.params = params
        self.settings = settings

    def sweep(self, arguments: list[str]) -> None:
        """Search; what was typed comes after the parameters of the configuration, and wins."""
        from overnight.search.search import search  # noqa: PLC0415 - only a search needs Optuna
        from overnight.search.trials import Settings  # noqa: PLC0415

        search(
            Settings(**self.settings),
            [*(f"{key}={value}" for key, value in self.params.items()), *arguments],
            directory=Path(self.config.hydra.sweep.dir),
            check=self.validate_batch_is_legal,
            launch=self.launcher.launch,
        )
