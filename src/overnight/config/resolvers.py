"""What configs may ask for beyond Hydra's own resolvers. Imported before Hydra composes anything."""

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from overnight.config.errors import needed
from overnight.records.naming import UNNAMED, run_name


def single_run() -> bool:
    """Tell whether this is a run by itself; the jobs of a sweep have a number."""
    return HydraConfig.initialized() and OmegaConf.is_missing(HydraConfig.get().job, "num")


def name_of_run(task_name: str, folder: str) -> str:
    """Return the name of a run in a sweep; its experiment is left out where the folder is named after it."""
    return run_name(typed(), UNNAMED if task_name == folder else UNNAMED - {"experiment"})


def typed() -> list[str]:
    """Return the overrides of the run as they were typed, interpolations and all."""
    overrides: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    return list(overrides)


def cores() -> int:
    """Return the number of physical cores that this process may use (affinity and containers count)."""
    from joblib import cpu_count  # noqa: PLC0415 - for those who ask only

    return int(cpu_count(only_physical_cores=True))


def at_a_time(n_jobs: int | None, key: str = "hydra.launcher.n_jobs") -> int:
    """Return how many jobs run at a time; as in joblib, null and -1 are all cores, -2 all but one.

    Raises:
        ConfigError: there is no such number.
    """
    most = cores()
    what = f"a whole number, 1 or more, or -1 (all {most} cores) to -{most} (one), or null (all)"
    given = -1 if n_jobs is None else n_jobs
    needed(key, given, lambda number: number > 0 or -most <= number < 0, what, -1)
    return given if given > 0 else most + 1 + given


def threads_each(n_jobs: int | None) -> int:
    """Return how many threads each of so many jobs may have: more than the cores, and they all stall."""
    return max(1, cores() // at_a_time(n_jobs))


def sqlite(path: str) -> str:
    """Return the URL of a database in a file, in whose name ``?``, ``#`` and ``%`` mean themselves."""
    from sqlalchemy import URL  # noqa: PLC0415 - for a search only

    return URL.create("sqlite", database=path).render_as_string()


def confirming(directory: str | None) -> str:
    """Return the name of the sweep that runs the winners of the one in this folder again."""
    return f"{Path(directory).resolve().name}-confirm" if directory else "confirm"


def register() -> None:
    """Register the resolvers; doing it again changes nothing.

    ``once`` gives all jobs of a sweep the value that the sweep itself has: Hydra copies its cache to them.
    """
    OmegaConf.register_new_resolver("cores", cores, replace=True)
    OmegaConf.register_new_resolver("threads_each", threads_each, replace=True)
    OmegaConf.register_new_resolver("sqlite", sqlite, replace=True)
    OmegaConf.register_new_resolver("confirming", confirming, replace=True)
    OmegaConf.register_new_resolver("once", lambda value: value, replace=True, use_cache=True)
    OmegaConf.register_new_resolver("run_name", name_of_run, replace=True)
    OmegaConf.register_new_resolver("single_run", single_run, replace=True)
