"""hydra/launcher=joblib: the runs of a sweep side by side on one machine, in processes of their own."""

import multiprocessing
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import NamedTuple

import cloudpickle
from hydra.core.utils import JobReturn

from fcnlab.launchers.job import Job, Submit

PRELOADED = ["fcnlab.launchers.preload"]


class Worker(NamedTuple):
    """A process that runs one job after another, and the connection that it takes them from."""

    process: BaseProcess
    connection: Connection

    def run(self, job: Job) -> JobReturn:
        """Let it run a job, and wait for the result.

        Raises:
            ChildProcessError: the process died.
        """
        try:
            self.connection.send_bytes(cloudpickle.dumps(job))
            result: JobReturn = cloudpickle.loads(self.connection.recv_bytes())
        except (EOFError, ConnectionError):
            self.process.join()
            raise ChildProcessError(epitaph(self.process.exitcode or 0)) from None
        return result


@contextmanager
def processes(n_jobs: int, threads: int) -> Iterator[Submit]:
    """Run jobs in ``n_jobs`` processes, with so many threads each; one that dies is replaced.

    They are forked from a process that has imported everything, and keep the images from run to run.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    supervisors = ThreadPoolExecutor(n_jobs)
    idle: list[Worker] = []
    alive: list[BaseProcess] = []

    def start() -> Worker:
        ours, its = context.Pipe()
        process = context.Process(target=work, args=(its, threads), daemon=True)
        process.start()
        its.close()
        alive.append(process)
        return Worker(process, ours)

    def supervise(job: Job) -> JobReturn:
        worker = idle.pop() if idle else start()
        result = worker.run(job)
        idle.append(worker)
        return result

    try:
        yield lambda jobs: [supervisors.submit(supervise, job).result for job in jobs]
    finally:
        supervisors.shutdown(wait=False, cancel_futures=True)
        for process in alive:
            process.terminate()


def work(connection: Connection, threads: int) -> None:
    """Run the jobs that come in, one after another, until the parent is gone."""
    import torch  # noqa: PLC0415 - the parent has no need of it

    torch.set_num_threads(threads)
    try:
        while True:
            connection.send_bytes(cloudpickle.dumps(cloudpickle.loads(connection.recv_bytes()).execute()))
    except (EOFError, ConnectionError, KeyboardInterrupt):
        return


def epitaph(exitcode: int) -> str:
    """Say how a process ended."""
    if exitcode >= 0:
        return f"its process ended with status {exitcode}"
    hint = " (out of memory?)" if -exitcode == signal.SIGKILL else ""
    return f"its process was ended by {signal.Signals(-exitcode).name}{hint}"
