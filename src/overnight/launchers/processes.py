"""hydra/launcher=joblib: the runs of a sweep side by side on one machine, in processes of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from hydra.core.utils import JobReturn

from overnight.launchers.job import Job, Submit
from overnight.launchers.workers import Hear, Start, workers


@contextmanager
def processes(n_jobs: int, threads: int) -> Iterator[Submit]:
    """Run jobs in ``n_jobs`` processes, with so many threads each."""
    with workers(n_jobs, threads) as start:
        yield submitting(start)


def submitting(start: Start) -> Submit:
    """Return what starts jobs as tasks."""
    return lambda jobs: start([partial(run, job) for job in jobs], print)


def run(job: Job, _: Hear) -> JobReturn:
    """Run a job, which has nothing to tell before its end."""
    return job.execute()
