"""Which runs of a sweep can share a batched network, and how many of them do at a time."""

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import hydra
from omegaconf.errors import OmegaConfBaseException

from overnight.config.errors import ConfigError
from overnight.config.of_data import asked
from overnight.config.schema import check
from overnight.launchers.job import Job
from overnight.records.record import COSMETIC, Record, fingerprint, settled_record, without_keys
from overnight.runs.origin import resolved
from overnight.stacked.limits import Limits, number_of_groups
from overnight.stacked.support import unsupported
from overnight.training.parts import build_data, informed

Config = dict[str, Any]
Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Run:
    """A job of the sweep, looked at before it runs.

    Args:
        job: that will record it.
        directory: where.
        config: resolved; {} if it cannot be.
        alone: why it is run the ordinary way; "" if it can be stacked.
    """

    job: Job
    directory: Path
    config: Config
    alone: str

    @property
    def recorded(self) -> Record | None:
        """Return its record if it has been run to its end before."""
        return settled_record(self.directory, fingerprint(self.config))

    @property
    def epochs(self) -> int:
        """Return for how many epochs it trains at most."""
        return int(self.config["trainer"]["max_epochs"])


def look_at(job: Job) -> Run:
    """Resolve a job's configuration, and find out whether it can be stacked."""
    with job.situated() as cfg:
        directory = Path(job.config.hydra.runtime.output_dir)
        try:
            config, going_on = resolved(cfg, directory)
        except (OmegaConfBaseException, ConfigError) as error:
            return Run(job, directory, {}, str(error))
    if job.config.hydra.job.chdir:  # a process has one directory
        return Run(job, directory, config, "hydra.job.chdir=true")
    alone = "ckpt_path=last" if going_on else why_alone(config)
    if not alone:
        try:
            config = with_traits(config)
        except (ValueError, OSError) as error:
            alone = f"cannot be built: {error}"
    return Run(job, directory, config, alone)


def with_traits(config: Config) -> Config:
    """Return the configuration with what its module asks of the data: how large the net is."""
    return informed(config, build_data(config)) if any(asked(config["task"])) else config


def why_alone(config: Config) -> str:
    """Return what keeps a run from being stacked; "" if nothing does."""
    try:
        check(config)
    except ConfigError as error:
        return str(error)
    return ", ".join(unsupported(config))


def groups(runs: Iterable[Run], limits: Limits, beside: int) -> list[Sequence[Run]]:
    """Put runs together, which can be stacked, if they are of one kind.

    Args:
        runs: that can be stacked.
        limits: of each group.
        beside: how many groups are trained at a time.
    """
    kinds = by(runs, kind_of)
    return [group for kind in kinds for group in groups_of_a_kind(kind, limits, beside)]


def kind_of(run: Run) -> str:
    """Return what members of a group must share: all settings but those that each may have for itself."""
    config = run.config
    own = hydra.utils.get_class(config["task"]["_target_"]).stacked_settings  # type: ignore[attr-defined]
    relevant = without_keys(config, (*COSMETIC, *config["cosmetic"], *own))
    return json.dumps(relevant, sort_keys=True, default=str)


def groups_of_a_kind(kind: Sequence[Run], limits: Limits, beside: int) -> list[Sequence[Run]]:
    """Put runs together that can share a network, first those that also see the same images."""
    most = limits.members(kind[0].config, beside)
    return [
        group
        for part in apart(kind, enough=max(2, most / 5))
        for group in shared_out(part, number_of_groups(len(part), most, beside))
    ]


def apart(kind: Sequence[Run], enough: float) -> list[list[Run]]:
    """Put runs that see the same images in the same order together, where they are enough; last the others.

    They have the first layer's product in common, so that three are trained faster than nine of which each
    has its own images.
    """
    alike = by(sorted(kind, key=sees), sees)
    few = [run for runs in alike for run in runs if len(runs) < enough]
    return [part for part in (*(runs for runs in alike if len(runs) >= enough), few) if part]


def sees(run: Run) -> tuple[int, ...]:
    """Return what decides which images a run sees, in which order."""
    data = run.config["data"]
    return data["split_seed"], data["fold"], data["seed"]


def by(items: Iterable[Item], key: Callable[[Item], Hashable]) -> list[list[Item]]:
    """Put items of the same key together, in the order of their first."""
    together: dict[Hashable, list[Item]] = {}
    for item in items:
        together.setdefault(key(item), []).append(item)
    return list(together.values())


def shared_out(items: Sequence[Item], parts: int) -> list[Sequence[Item]]:
    """Deal a list out to so many parts, as equal as possible: as cards, since neighbours cost alike."""
    return [items[part::parts] for part in range(parts)]
