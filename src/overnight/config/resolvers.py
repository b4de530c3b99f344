"""What configs may ask for beyond Hydra's own resolvers. Imported before Hydra composes anything."""

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hydra.conf import HydraConf
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from overnight.config.errors import needed
from overnight.config.folders import in_project, outputs
from overnight.config.of_data import of_data
from overnight.config.overrides import as_typed
from overnight.records import sweep_state
from overnight.records.naming import LENGTH, UNNAMED, run_name


def single_run() -> bool:
    """Tell whether this is a run by itself; the jobs of a sweep have a number."""
    return HydraConfig.initialized() and OmegaConf.is_missing(HydraConfig.get().job, "num")


def name_of_run(directory: str) -> str:
    """Return the name of a run of the sweep in this directory: what varies there, as it was typed."""
    plan = sweep_state.read(Path(directory))
    if plan is None:
        return run_name(typed())
    unnamed = UNNAMED if LENGTH in plan.swept else UNNAMED | {LENGTH}
    return run_name(typed(), unnamed, plan.common, plan.absent)


def from_where_typed(path: str) -> str:
    """Return a path that leads to the same file when Hydra has changed the directory (hydra.job.chdir)."""
    if not HydraConfig.initialized():
        return path
    typed_in = Path(HydraConfig.get().runtime.cwd)
    return path if Path.cwd() == typed_in else str(typed_in / path)


def sweep_folder(hydra: DictConfig | HydraConf) -> Path:
    """Return the folder of the sweep, from whatever directory a job of it runs in."""
    return Path(hydra.runtime.cwd, hydra.sweep.dir)


def typed() -> list[str]:
    """Return the overrides of the run as they were typed, interpolations and all."""
    return as_typed(HydraConfig.get())


def cores() -> int:
    """Return the number of physical cores that this process may use (affinity and containers count)."""
    from joblib import cpu_count  # noqa: PLC0415 - for those who ask only

    return int(cpu_count(only_physical_cores=True))


def at_a_time(n_jobs: int | None, key: str = "hydra.launcher.n_jobs") -> int:
    """Return how many jobs run at a time, else a ConfigError; null and -1 are all cores, -2 all but one."""
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


def temporary() -> str:
    """Return a new folder that goes when this process ends."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def length(listed: Any, otherwise: int) -> int:
    """Return the length of a list, and another number where there is none."""
    return len(listed) if OmegaConf.is_list(listed) or isinstance(listed, list) else otherwise


def where(given: Any, expected: Any, value: Any, otherwise: Any = None) -> Any:
    """Return a value that belongs to one setting, and another one, or null, if what is given is not that."""
    return value if given == expected else otherwise


def register() -> None:
    """Register the resolvers; doing it again changes nothing.

    Those with a cache give all jobs of a sweep the value that the sweep itself has: Hydra copies the cache.
    """
    each: Any
    for each in (cores, threads_each, sqlite, confirming, length, of_data, single_run, where, in_project):
        OmegaConf.register_new_resolver(each.__name__, each, replace=True)
    OmegaConf.register_new_resolver("run_name", name_of_run, replace=True)
    for name, each in {"once": lambda value: value, "outputs": outputs, "temporary": temporary}.items():
        OmegaConf.register_new_resolver(name, each, replace=True, use_cache=True)
