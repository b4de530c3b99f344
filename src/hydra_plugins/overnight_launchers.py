"""The launchers of overnight. Hydra imports this at every start: only Hydra may stand at the top."""

from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf


class ComposingLauncher(Launcher):
    """Composes all jobs before it runs them."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what a job needs."""
        self.of_job = hydra_context, task_function, config


class JobLauncher(ComposingLauncher):
    """Sends every job to some process of its own, and outlives those that die."""

    extra = ""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what a job needs, and import what starts it; an ImportError if an extra is not installed."""
        super().setup(hydra_context=hydra_context, task_function=task_function, config=config)
        try:
            self.workers()
        except ModuleNotFoundError as error:
            raise ImportError(
                f"this launcher needs {error.name}: not installed. Type: pip install '.{self.extra}'"
            ) from error

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all jobs; return their results in the given order."""
        from overnight.launchers import job  # noqa: PLC0415

        with self.workers() as submit:  # they start while the jobs are composed
            return job.outlive(job.compose(*self.of_job, job_overrides, initial_job_idx), submit)

    @abstractmethod
    def workers(self) -> AbstractContextManager[Any]:
        """Return what gives a ``overnight.launchers.job.Submit``."""


class ProcessLauncher(JobLauncher):
    """hydra/launcher=joblib; a ConfigError if a setting cannot be used."""

    def __init__(self, n_jobs: int | None, threads: int) -> None:
        from overnight.config.errors import needed  # noqa: PLC0415
        from overnight.config.resolvers import at_a_time  # noqa: PLC0415

        needed("hydra.launcher.threads", threads, lambda number: number > 0, "a whole number, 1 or more", 1)
        self.n_jobs, self.threads = at_a_time(n_jobs), threads

    def get_ready(self, jobs: int) -> None:
        """Start the process from which the others will be forked: it imports while the jobs are checked."""
        from overnight.launchers.workers import get_ready  # noqa: PLC0415

        get_ready()

    def workers(self) -> AbstractContextManager[Any]:
        """Processes on this machine."""
        from overnight.launchers.workers import processes  # noqa: PLC0415

        return processes(self.n_jobs, self.threads)


class SlurmLauncher(JobLauncher):
    """hydra/launcher=submitit_slurm; a ConfigError if a setting cannot be used."""

    extra = "[slurm]"

    def __init__(self, submitit_folder: str, **parameters: Any) -> None:
        from overnight.config.launcher_keys import SlurmKeys, check_settings  # noqa: PLC0415

        self.folder, self.parameters = submitit_folder, plain(parameters)
        check_settings(SlurmKeys, self.parameters)

    def workers(self) -> AbstractContextManager[Any]:
        """Jobs of a Slurm array."""
        from overnight.launchers.slurm import slurm  # noqa: PLC0415

        return slurm(self.folder, self.parameters)


class RayLauncher(JobLauncher):
    """hydra/launcher=ray; a ConfigError if a setting cannot be used."""

    extra = "[ray]"

    def __init__(self, ray: DictConfig) -> None:
        from overnight.config.launcher_keys import RayInitKeys, RayRemoteKeys, check_settings  # noqa: PLC0415

        self.ray = plain(ray)
        check_settings(RayInitKeys, self.ray["init"], "hydra.launcher.ray.init")
        check_settings(RayRemoteKeys, self.ray["remote"], "hydra.launcher.ray.remote")

    def workers(self) -> AbstractContextManager[Any]:
        """Tasks of a Ray cluster."""
        from overnight.launchers.ray_cluster import ray_cluster  # noqa: PLC0415

        return ray_cluster(self.ray["init"], self.ray["remote"])


class StackedLauncher(ComposingLauncher):
    """hydra/launcher=stacked; a ConfigError if a setting cannot be used."""

    def __init__(self, **limits: Any) -> None:
        from overnight.config.launcher_keys import StackedKeys, check_settings  # noqa: PLC0415

        self.limits = limits
        check_settings(StackedKeys, self.limits)

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all jobs; return their results in the given order."""
        from overnight.launchers.job import compose  # noqa: PLC0415
        from overnight.stacked.launcher import launch  # noqa: PLC0415
        from overnight.stacked.limits import Limits  # noqa: PLC0415

        self.get_ready(len(job_overrides))
        return launch(compose(*self.of_job, job_overrides, initial_job_idx), Limits(**self.limits))

    def get_ready(self, jobs: int) -> None:
        """Start the process from which the others will be forked, if there will be any."""
        from overnight.launchers.workers import get_ready  # noqa: PLC0415
        from overnight.stacked.limits import Limits  # noqa: PLC0415

        if Limits(**self.limits).aside(jobs):
            get_ready("overnight.stacked.group", "overnight.stacked.judging")


def plain(config: Any) -> Any:
    """Return dicts and lists, resolved."""
    return OmegaConf.to_container(OmegaConf.create(config), resolve=True)
