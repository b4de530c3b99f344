"""What configs may ask for beyond Hydra's own resolvers. Imported before Hydra composes anything."""

from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf

from fcnlab.naming import run_name


def single_run() -> bool:
    """Tell whether this is a run by itself; the jobs of a sweep have a number."""
    return HydraConfig.initialized() and OmegaConf.is_missing(HydraConfig.get().job, "num")


def name_of_run() -> str:
    """Return the name of the run that is being composed."""
    return run_name(typed())


def typed() -> list[str]:
    """Return the overrides of the run as they were typed, interpolations and all."""
    overrides: Any = OmegaConf.to_container(HydraConfig.get().overrides.task, resolve=False)
    return list(overrides)


def register() -> None:
    """Register the resolvers; doing it again changes nothing."""
    OmegaConf.register_new_resolver("run_name", name_of_run, replace=True)
    OmegaConf.register_new_resolver("single_run", single_run, replace=True)
