"""hydra/launcher=submitit_slurm: the runs of a sweep as an array of Slurm jobs."""

import os
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import submitit
from hydra.core.utils import JobReturn
from submitit.core.utils import FailedJobError

from overnight.launchers.job import Job, Submit

SHARED = {"timeout_min", "cpus_per_task", "gpus_per_node", "tasks_per_node", "mem_gb", "nodes", "name"}
"""What submitit calls alike for every kind of cluster; the others take the prefix ``slurm_``."""

THREADS = (
    "export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE:-1}}",
    "export SRUN_CPUS_PER_TASK=$OMP_NUM_THREADS",  # without it, srun of Slurm 22.05 to 23.02 takes one
)
"""Commands that give a job as many threads as it has processors, whether or not Slurm binds it to them."""

GONE = "unknown to squeue"
ENDED = {"COMPLETED", "FAILED", "OUT_OF_MEMORY", "TIMEOUT", "DEADLINE", GONE}
ENDED |= {"BOOT_FAIL", "NODE_FAIL", "CANCELLED", "PREEMPTED"}
SECONDS_BETWEEN_LOOKS = 10.0

SlurmJob: TypeAlias = submitit.Job[JobReturn]


@contextmanager
def slurm(folder: str, parameters: dict[str, Any]) -> Iterator[Submit]:
    """Submit jobs with these parameters of submitit; whoever leaves before they end, leaves them to Slurm.

    Raises:
        ValueError: a parameter is unknown to submitit, or asks for more than one process for a run.
        RuntimeError: there is no Slurm, or sbatch refuses them.
    """
    asked = {key: value for key, value in parameters.items() if value is not None}
    if asked.get("nodes", 1) * asked.get("tasks_per_node", 1) != 1:
        raise ValueError(
            "a run is one process. Needed: hydra.launcher.nodes=1 hydra.launcher.tasks_per_node=1"
        )
    asked["setup"] = [*THREADS, *asked.get("setup", [])]
    timeouts = asked.pop("max_num_timeout", 0)
    executor = submitit.AutoExecutor(folder, cluster="slurm", slurm_max_num_timeout=timeouts)
    try:
        executor.update_parameters(**{k if k in SHARED else f"slurm_{k}": v for k, v in asked.items()})
    except (AssertionError, NameError) as error:
        raise ValueError(f"hydra.launcher: {str(error).splitlines()[0]}") from error

    def submit(jobs: list[Job]) -> list[Callable[[], JobReturn]]:
        try:
            submitted: list[SlurmJob] = executor.map_array(Requeuable(), jobs)
        except FailedJobError as error:
            last = str(error).strip().splitlines()[-1].removeprefix("sbatch: error: ")
            raise RuntimeError(f"the sweep was not submitted. {last}") from error
        first, final = submitted[0].job_id, submitted[-1].job_id
        sys.stdout.write(f"submitted to Slurm: {first if first == final else f'{first} to {final}'}\n")
        sys.stdout.flush()
        queue = Queue()  # one that knows no answer from before these were submitted
        return [partial(result, job, queue) for job in submitted]

    try:
        yield submit
    except KeyboardInterrupt:
        sys.stdout.write(
            "\nwhat was submitted to Slurm goes on; squeue --me shows it, scancel NUMBER ends it\n"
        )
        raise


class Requeuable:
    """Runs a job; one that Slurm preempts, or whose time is over, goes on from its last checkpoint."""

    def __call__(self, job: Job) -> JobReturn:
        """Run it from its beginning."""
        return job.execute()

    def checkpoint(self, job: Job) -> submitit.helpers.DelayedSubmission:
        """Return what Slurm is to run next time."""
        config = job.config.copy()
        if config.ckpt_path is None:
            config.ckpt_path = "last"
        return submitit.helpers.DelayedSubmission(self, replace(job, config=config))


class Queue:
    """What Slurm says of our jobs: squeue, since sacct needs an accounting that many clusters do not have."""

    def __init__(self) -> None:
        self.answers: deque[dict[str, str]] = deque(maxlen=2)
        self.next_look = 0.0

    def look(self) -> None:
        """Ask, but not too often. That Slurm does not answer says nothing of the jobs."""
        if time.monotonic() < self.next_look:
            return
        command = ["squeue", "--me", "--array", "--noheader", "--states=all", "--format=%i %T"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            self.answers.append(dict(line.split() for line in answer.stdout.splitlines()))
        self.next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS

    def end(self, number: str) -> str | None:
        """Return how a job ended, None while it has not.

        Two answers have to agree: its result may be on its way, and one that is queued again seems to end.
        """
        self.look()
        states = [answer.get(number, GONE) for answer in self.answers]
        ended = [state for state in states if state in ENDED]
        return ended[-1] if len(ended) == self.answers.maxlen else None


def result(job: SlurmJob, queue: Queue) -> JobReturn:
    """Wait for a job; a ChildProcessError says that it ended without a result."""
    path = job.paths.result_pickle
    while path not in list(path.parent.iterdir()):  # listed, since NFS remembers that there was no such file
        if end := queue.end(job.job_id):
            raise ChildProcessError(epitaph(job, end))
        time.sleep(1)
    try:
        returned: JobReturn = job.result()
    except FailedJobError as error:
        errors = [line for line in str(error).splitlines() if "Error: " in line]
        raise ChildProcessError(epitaph(job, "; ".join(["FAILED", *errors[-1:]]))) from error
    return returned


def epitaph(job: SlurmJob, end: str) -> str:
    """Say how a job ended: its state, what Slurm wrote last into the job's output, and where that is."""
    log = "\n".join(filter(None, (job.stdout(), job.stderr())))
    errors = re.findall(r"^(?:srun|slurmstepd)\S*: error: (.*)", log, re.MULTILINE)
    path = os.path.relpath(job.paths.stdout)
    return f"its Slurm job {job.job_id} ended: {'; '.join([end, *errors[-1:]])} (its output: {path})"
