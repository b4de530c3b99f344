"""Which runs of a sweep can share a batched network, and how many of them do at a time."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from omegaconf.errors import OmegaConfBaseException

from overnight.config.errors import ConfigError
from overnight.launchers.job import Job
from overnight.records.identity import Sources, fingerprint
from overnight.records.record import Record, settled_record
from overnight.runs.origin import resolved
from overnight.stacked.limits import Limits, number_of_groups

Config = dict[str, Any]
Item = TypeVar("Item")


class Judged(NamedTuple):
    """What is known of a run before it is trained.

    Args:
        config: resolved, with what the module asks of the data; {} if it cannot be.
        alone: why it is run the ordinary way; "" if it can be stacked.
        kind: what it must share with those that it is trained with.
        memory: that it needs, in bytes.
        parameters: of its net, to which an epoch's time is roughly proportional.
        on_cpu: whether it is trained there.
        sources: of which code it is built.
    """

    config: Config
    alone: str
    kind: str = ""
    memory: int = 0
    parameters: int = 0
    on_cpu: bool = True
    sources: Sources = {}  # noqa: RUF012 - nobody changes it


@dataclass(frozen=True, eq=False)
class Run:
    """A job of the sweep, looked at before it runs."""

    job: Job
    directory: Path
    judged: Judged

    @property
    def recorded(self) -> Record | None:
        """Return its record if it has been run to its end before."""
        return settled_record(self.directory, fingerprint(self.judged.config))


def look_at(job: Job) -> tuple[Path, Config, str]:
    """Return a job's folder, its resolved configuration, and why it cannot be stacked if that is known."""
    with job.situated() as cfg:
        directory = Path(job.config.hydra.runtime.output_dir)
        try:
            config, going_on = resolved(cfg, directory)
        except (OmegaConfBaseException, ConfigError) as error:
            return directory, {}, str(error)
    # a process has one directory
    alone = "hydra.job.chdir=true" * bool(job.config.hydra.job.chdir) or "ckpt_path=last" * going_on
    return directory, config, alone


def groups(runs: Iterable[Run], limits: Limits, beside: int) -> list[Sequence[Run]]:
    """Put runs together that can share a network, first those of a kind that also see the same samples.

    So many groups are trained ``beside`` each other.
    """
    found: list[Sequence[Run]] = []
    for kind in by(runs, lambda run: run.judged.kind):
        most = limits.members(kind[0].judged.memory, beside)
        for part in apart(kind, enough=max(2, most / 5)):
            found += shared_out(part, number_of_groups(len(part), most, beside))
    return found


def apart(kind: Sequence[Run], enough: float) -> list[list[Run]]:
    """Put runs that see the same images in the same order together, where they are enough; last the others.

    They have the first layer's product in common, so that three are trained faster than nine of which each
    has its own images.
    """
    alike = by(sorted(kind, key=sees), sees)
    many = [runs for runs in alike if len(runs) >= enough]
    few = [run for runs in alike if len(runs) < enough for run in runs]
    return [*many, few] if few else many


def sees(run: Run) -> tuple[int, ...]:
    """Return what decides which images a run sees, in which order."""
    data = run.judged.config["data"]
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
