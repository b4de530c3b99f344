"""hydra/launcher=joblib: the runs of a sweep side by side on one machine, each in a process of its own."""

import multiprocessing
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

import cloudpickle
from hydra.core.utils import JobReturn

from fcnlab.launchers.job import Job, Submit

PRELOADED = ["fcnlab.launchers.preload"]


@contextmanager
def processes(n_jobs: int, threads: int) -> Iterator[Submit]:
    """Run jobs in fresh processes, ``n_jobs`` at a time, with so many threads each.

    A process for each run costs little, since it is forked from one that has imported everything; what a
    run leaves in memory is gone with it, and if it is killed, it alone is lost.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    supervisors = ThreadPoolExecutor(n_jobs)
    alive: set[BaseProcess] = set()

    def supervise(job: Job) -> JobReturn:
        results, end = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(cloudpickle.dumps(job), threads, end))
        process.start()
        alive.add(process)
        end.close()
        try:
            return received(results, process)
        finally:
            alive.discard(process)

    try:
        yield lambda jobs: [supervisors.submit(supervise, job).result for job in jobs]
    finally:
        supervisors.shutdown(wait=False, cancel_futures=True)
        for process in list(alive):
            process.terminate()


def work(pickled: bytes, threads: int, end: Connection) -> None:
    """Run the job in this process and send the result."""
    import torch  # noqa: PLC0415 - the parent has no need of it

    torch.set_num_threads(threads)
    try:
        end.send_bytes(cloudpickle.dumps(cloudpickle.loads(pickled).execute()))
    except (KeyboardInterrupt, BrokenPipeError):  # the parent is being ended as well, or has been
        sys.exit(1)


def received(results: Connection, process: BaseProcess) -> JobReturn:
    """Wait for the result.

    Raises:
        ChildProcessError: the process ended without one.
    """
    try:
        result: JobReturn = cloudpickle.loads(results.recv_bytes())
    except EOFError:
        process.join()
        raise ChildProcessError(epitaph(process.exitcode or 0)) from None
    process.join()
    return result


def epitaph(exitcode: int) -> str:
    """Say how a process ended."""
    if exitcode >= 0:
        return f"its process ended with status {exitcode}"
    hint = " (out of memory?)" if -exitcode == signal.SIGKILL else ""
    return f"its process was ended by {signal.Signals(-exitcode).name}{hint}"
