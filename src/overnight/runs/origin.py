"""Where a run comes from: what was typed, for which directory, in which sweep."""

import logging
import shlex
import sys
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from overnight.config.errors import ConfigError
from overnight.config.resolvers import from_where_typed, single_run, sweep_folder, typed
from overnight.records import sweep_state
from overnight.records.identity import CONTENTS
from overnight.records.naming import run_name
from overnight.records.record import BEST, LAST, SCHEMA, Record
from overnight.runs.environment import environment

UNKNOWN = (
    *("error", "fingerprint", "config", "interpolated", "metric", "mode", "model", "best", "last", "checked"),
    *("optimizers", "checkpoint", "seconds", "samples_per_second", "data", "sources"),
)
"""What a record says of a run only when it has been trained."""

DATA_PATHS = ("root", "path")  # arguments of a data module that name where its files lie

WHY_ALONE = ContextVar("why_alone", default="")
"""Why a run of a stacked sweep is trained the ordinary way; "" where that needs no reason."""


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
        trained: "ordinary", in a stacked sweep with the reason.
        job: when its sweep began, and its number in it; ("", "") for a single run.
    """

    name: str
    directory: Path
    overrides: list[str]
    choices: dict[str, Any]
    command: str
    sweep: Path | None
    trained: str
    job: tuple[str, str]

    @classmethod
    def current(cls, cfg: DictConfig) -> "Origin":
        """Ask Hydra.

        Raises:
            ConfigError: it composed the configuration without an entry script, as in a notebook.
        """
        if not HydraConfig.initialized():
            raise ConfigError(
                "a run needs the folder and the log that Hydra makes for it. Needed: an entry script. Type "
                "in a shell: python train.py. In a notebook, fit the task and the data with a "
                "Trainer of your own, as in docs/first_steps.md; nothing is recorded then"
            )
        hydra_config = HydraConfig.get()
        hydras: Any = OmegaConf.to_container(hydra_config.runtime.choices)
        choices = {group: option for group, option in hydras.items() if not group.startswith(("hydra", "."))}
        directory = Path(hydra_config.runtime.output_dir)
        folder = None if single_run() else sweep_folder(hydra_config)
        plan = sweep_state.read(folder) if folder else None
        return cls(
            name=directory.name if folder else run_name(typed()),
            directory=directory,
            overrides=typed(),
            choices=choices | composed_groups(cfg) | {group: one for group, one in choices.items() if one},
            command=plan.command if plan else shlex.join(["python", *sys.argv]),
            sweep=folder,
            trained=": ".join(filter(None, ("ordinary", WHY_ALONE.get()))),
            job=sweep_state.name_job(folder, hydra_config.job.num) if folder else ("", ""),
        )

    def blank_record(self) -> Record:
        """Return what a record says of a run before its configuration is resolved."""
        known = {
            "schema": SCHEMA,
            "name": self.name,
            "status": "failed",
            "command": self.command,
            "overrides": self.overrides,
            "choices": self.choices,
            "environment": environment(),
            "trained": self.trained,
            "history": [],
        }
        return known | dict.fromkeys(UNKNOWN)

    @property
    def level(self) -> int:
        """Return how loud to tell what the sweep's own line tells too."""
        return logging.DEBUG if self.sweep else logging.INFO


def composed_groups(cfg: DictConfig) -> dict[str, str]:
    """Return what was chosen of groups whose options compose, as ``dropout+batch_norm``; Hydra lacks them.

    Each option of such a group has a key of its own under the group's name: a part to build, or true.
    """
    nodes: Any = OmegaConf.to_container(cfg, resolve=False)
    return {
        group: "+".join(map(str, node)) or "none"
        for group, node in nodes.items()
        if isinstance(node, dict)
        and all(value is True or (isinstance(value, dict) and "_target_" in value) for value in node.values())
    }


def resolved(cfg: DictConfig, directory: Path) -> tuple[dict[str, Any], bool]:
    """Return the configuration, and whether the run in this directory is to go on: that makes no other of it.

    Raises:
        ConfigError: it is to begin with a file in that directory that it would overwrite.
    """
    config: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    make_absolute(config)
    last, best = (directory / LAST).resolve(), (directory / BEST).resolve()
    given = {key: Path(config[key]).resolve() for key in ("ckpt_path", "init_from") if config[key]}
    for key, path in given.items():
        if path == best or (key, path) == ("init_from", last):
            raise ConfigError(
                f"{key}={config[key]}: the run writes into that very folder. Needed: ckpt_path=last to go "
                f"on, or another folder. Type for example: task_name=ANOTHER"
            )
    going_on = config["ckpt_path"] == "last" or given.get("ckpt_path") == last
    return config | ({"ckpt_path": None} if going_on else {}), going_on


def make_absolute(config: dict[str, Any]) -> None:
    """Let paths lead from where the command was typed; those of data from anywhere, for later evaluations."""
    data = config["data"] if isinstance(config["data"], dict) else {}
    for section, keys in ((config, CONTENTS), (data, DATA_PATHS)):
        for key in keys:
            if isinstance(section.get(key), str) and section[key] != "last":
                section[key] = from_where_typed(section[key])
    for key in DATA_PATHS:
        if isinstance(data.get(key), str) and Path(data[key]).exists():
            data[key] = str(Path(data[key]).absolute())


def interpolated_keys(cfg: DictConfig, prefix: str = "") -> list[str]:
    """Return the dotted keys that only repeat other keys: nobody has set them."""
    keys: list[str] = []
    key: Any  # a text, or a number
    for key in cfg:
        if OmegaConf.is_interpolation(cfg, key):
            keys.append(f"{prefix}{key}")
        elif isinstance(cfg[key], DictConfig):
            keys += interpolated_keys(cfg[key], f"{prefix}{key}.")
    return keys
