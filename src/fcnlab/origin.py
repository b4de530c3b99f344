"""Where a run comes from: what was typed, for which directory, in which sweep."""

import logging
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from fcnlab import sweep
from fcnlab.naming import run_name
from fcnlab.resolvers import single_run, typed


@dataclass(frozen=True)
class Origin:
    """What Hydra knows of this run besides its configuration.

    Args:
        name: legible, and unique in the sweep.
        directory: where everything goes that the run leaves.
        overrides: as typed, for this run alone.
        choices: group -> option.
        command: that made this run, and the whole sweep if it is of one.
        sweep: the sweep's directory; None for a single run.
    """

    name: str
    directory: Path
    overrides: list[str]
    choices: dict[str, Any]
    command: str
    sweep: Path | None

    @classmethod
    def current(cls, cfg: DictConfig) -> "Origin":
        """Ask Hydra; of a group that takes a list of options, it does not know them."""
        hydra_config = HydraConfig.get()
        choices: Any = OmegaConf.to_container(hydra_config.runtime.choices)
        directory = Path(hydra_config.runtime.output_dir)
        folder = None if single_run() else Path(hydra_config.sweep.dir)
        plan = sweep.read(folder) if folder else None
        return cls(
            name=directory.name if folder else run_name(typed()),
            directory=directory,
            overrides=typed(),
            choices={key: value for key, value in choices.items() if not key.startswith("hydra")}
            | {"regularization": "+".join(cfg.regularization) or "none"},
            command=plan.command if plan else shlex.join(["python", *sys.argv]),
            sweep=folder,
        )

    @property
    def level(self) -> int:
        """Return how loud to tell what the sweep's own line tells too."""
        return logging.DEBUG if self.sweep else logging.INFO
