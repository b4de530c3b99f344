"""Hydra's door to ``fcnlab.stacked``. Hydra imports this at every start: so nothing but Hydra at the top."""

from collections.abc import Sequence

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class StackedLauncher(Launcher):
    """hydra/launcher=stacked."""

    def __init__(self, max_members: int, memory_gb: float) -> None:
        self.max_members, self.memory_gb = max_members, memory_gb

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what a job needs."""
        from fcnlab.launchers.composing import hasten  # noqa: PLC0415

        hasten(hydra_context)
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all jobs; return their results in the given order."""
        from fcnlab.launchers.job import compose  # noqa: PLC0415
        from fcnlab.stacked.launcher import launch  # noqa: PLC0415

        jobs = compose(self.hydra_context, self.task_function, self.config, job_overrides, initial_job_idx)
        return launch(jobs, self.max_members, self.memory_gb)
