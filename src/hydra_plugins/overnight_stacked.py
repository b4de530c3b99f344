"""The launcher of stacked runs. Hydra imports this at every start: only Hydra may stand at the top."""

from collections.abc import Sequence
from typing import Any

from hydra.core.utils import JobReturn
from hydra.plugins.launcher import Launcher
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig

SEVERAL = 6
"""Runs of which groups may be trained side by side, in other processes."""


class StackedLauncher(Launcher):
    """hydra/launcher=stacked."""

    def __init__(self, **limits: Any) -> None:
        self.limits = limits

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what a job needs."""
        from overnight.launchers.composing import hasten  # noqa: PLC0415

        hasten(hydra_context)
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def launch(self, job_overrides: Sequence[Sequence[str]], initial_job_idx: int) -> Sequence[JobReturn]:
        """Run all jobs; return their results in the given order."""
        from overnight.launchers.job import compose  # noqa: PLC0415
        from overnight.launchers.workers import get_ready  # noqa: PLC0415

        if self.limits["groups_at_a_time"] != 1 and len(job_overrides) >= SEVERAL:
            get_ready("overnight.stacked.group")  # both processes import torch now
        from overnight.stacked.launcher import launch  # noqa: PLC0415
        from overnight.stacked.limits import Limits  # noqa: PLC0415

        limits = Limits(**self.limits)
        jobs = compose(self.hydra_context, self.task_function, self.config, job_overrides, initial_job_idx)
        return launch(jobs, limits)
