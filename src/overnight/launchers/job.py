"""One job of a sweep as a thing that can be sent away: to another process, or to another machine."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.singleton import Singleton
from hydra.core.utils import JobReturn, JobStatus, configure_log, run_job, setup_globals
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf, open_dict, read_write

from overnight.config.overrides import as_typed
from overnight.runs.origin import WHY_ALONE


@dataclass(frozen=True)
class Job:
    """All that a fresh process needs to run one job.

    Args:
        hydra_context: the config loader and the callbacks.
        task_function: of the script.
        config: composed for this job, Hydra's part included.
        state: Hydra's singletons, of the process that composed.
        why_alone: why it is not stacked with others, for the record.
    """

    hydra_context: HydraContext
    task_function: TaskFunction
    config: DictConfig
    state: dict[Any, Any]
    why_alone: str = ""

    def execute(self, *_: object) -> JobReturn:
        """Run it here; what ends it outside of the task function (a full disk) comes back as its failure."""
        Singleton.set_state(self.state)
        setup_globals()
        told = WHY_ALONE.set(self.why_alone)
        try:
            return run_job(
                hydra_context=self.hydra_context,
                task_function=self.task_function,
                config=self.config,
                job_dir_key="hydra.sweep.dir",
                job_subdir_key="hydra.sweep.subdir",
            )
        except Exception as error:  # noqa: BLE001 - it is told to the parent, who raises it
            return JobReturn(status=JobStatus.FAILED, _return_value=error)
        finally:
            WHY_ALONE.reset(told)
            configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)

    @contextmanager
    def situated(self) -> Iterator[DictConfig]:
        """Let Hydra know where the job will run, and give what its task function will be given."""
        hydra_config: Any = HydraConfig.instance()
        outer, hydra_config.cfg = hydra_config.cfg, self.config
        try:
            sweep = self.config.hydra.sweep
            with read_write(self.config.hydra.runtime), open_dict(self.config.hydra.runtime):
                self.config.hydra.runtime.output_dir = str(Path(sweep.dir, sweep.subdir).absolute())
            yield OmegaConf.masked_copy(self.config, [str(key) for key in self.config if key != "hydra"])
        finally:
            hydra_config.cfg = outer

    def recorded(self, result: float) -> JobReturn:
        """Return the result of a job that has been run before, and tell the callbacks that it has ended."""
        with self.situated() as cfg:
            ended = JobReturn(
                overrides=as_typed(self.config.hydra),
                cfg=cfg,
                hydra_cfg=OmegaConf.masked_copy(self.config, "hydra"),
                status=JobStatus.COMPLETED,
                _return_value=result,
            )
            configure_log(self.config.hydra.job_logging, self.config.hydra.verbose)
            self.hydra_context.callbacks.on_job_end(config=self.config, job_return=ended)
        configure_log(self.config.hydra.hydra_logging, self.config.hydra.verbose)
        return ended

    def lost(self, why: str) -> "Job":
        """Return a job that does nothing but record that this one's process died; to be executed here."""
        return replace(self, task_function=functools.partial(record_loss, why))


def record_loss(why: str, cfg: DictConfig) -> float:
    """Record that the run's process died; imports here, since the parent has no torch."""
    from overnight.runs.run import lost  # noqa: PLC0415

    return lost(why, cfg)


def compose(
    hydra_context: HydraContext,
    task_function: TaskFunction,
    config: DictConfig,
    overrides: Sequence[Sequence[str]],
    first: int,
) -> list[Job]:
    """Compose the jobs of a sweep with these overrides, numbered from the first."""
    setup_globals()
    jobs = []
    for number, typed in enumerate(overrides, start=first):
        composed = hydra_context.config_loader.load_sweep_config(config, list(typed))
        with open_dict(composed):
            composed.hydra.job.id = composed.hydra.job.num = number
        jobs.append(Job(hydra_context, task_function, composed, Singleton.get_state()))
    return jobs


Submit = Callable[[list[Job]], list[Callable[[], JobReturn]]]
"""Starts jobs; each of the functions that it returns waits for one, and raises if its process died."""


def outlive(jobs: list[Job], submit: Submit) -> list[JobReturn]:
    """Return the results of all jobs, in order. One whose process dies costs no other.

    It is tried again, as often as its ``retries`` allow; after that it is recorded as failed.
    """
    results: dict[int, JobReturn] = {}
    attempts = Counter[int]()
    todo = list(range(len(jobs)))
    while todo:
        again = []
        for number, finished in zip(todo, submit([jobs[n] for n in todo]), strict=True):
            try:
                results[number] = finished()
            except Exception as error:  # noqa: BLE001 - each launcher has its own for a process that died
                attempts[number] += 1
                if attempts[number] <= jobs[number].config.retries:
                    again.append(number)
                else:
                    results[number] = jobs[number].lost(" ".join(str(error).split())).execute()
        todo = again
    return [results[number] for number in range(len(jobs))]
