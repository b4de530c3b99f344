"""What configs may ask for beyond Hydra's own resolvers. Imported before Hydra composes anything."""

from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

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


def typed() -> list[str]:
    """Return the overrides of the run as they were typed, interpolations and all."""
    overrides: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    return list(overrides)


def cores() -> int:
    """Return the number of physical cores that this process may use (affinity and containers count)."""
    from joblib import cpu_count  # noqa: PLC0415 - for those who ask only

    return int(cpu_count(only_physical_cores=True))


def threads_each(processes: int) -> int:
    """Return how many threads each of so many processes may have: more than the cores, and they all stall."""
    return max(1, cores() // processes)


def confirming(directory: str | None) -> str:
    """Return the name of the sweep that runs the winners of the one in this folder again."""
    return f"{Path(directory).resolve().name}-confirm" if directory else "confirm"


def register() -> None:
    """Register the resolvers; doing it again changes nothing.

    ``once`` gives all jobs of a sweep the value that the sweep itself has: Hydra copies its cache to them.
    """
    OmegaConf.register_new_resolver("cores", cores, replace=True)
    OmegaConf.register_new_resolver("threads_each", threads_each, replace=True)
    OmegaConf.register_new_resolver("confirming", confirming, replace=True)
    OmegaConf.register_new_resolver("once", lambda value: value, replace=True, use_cache=True)
    OmegaConf.register_new_resolver("run_name", name_of_run, replace=True)
    OmegaConf.register_new_resolver("single_run", single_run, replace=True)
