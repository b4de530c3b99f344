"""Processes side by side on one machine, that do one task after another: hydra/launcher=joblib runs jobs."""

import atexit
import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from threading import Event
from typing import Any, NamedTuple

import cloudpickle

from overnight.launchers.job import Submit

PRELOADED = "overnight.launchers.preload"

Hear = Callable[[Any], None]  # takes what a task tells while it runs

Task = Callable[[Hear], Any]
"""What a process is given to do; its result goes back to the parent, and what it tells before that."""

Start = Callable[[Sequence[Task], Hear], list[Callable[[], Any]]]
"""Starts tasks; each of the functions that it returns waits for one, and raises what ended it."""


class Told(NamedTuple):
    """What a task tells while it runs, on its way to the parent."""

    news: Any


class Raised(NamedTuple):
    """What ended a task."""

    error: Exception


class Worker(NamedTuple):
    """A process that does one task after another, and the connection that it takes them from."""

    process: BaseProcess
    connection: Connection

    def run(self, task: Task, hear: Hear) -> Any:
        """Let it do a task, and wait for the result or ``Raised``; ChildProcessError if it died."""
        answer = self._answer(task)
        while isinstance(answer, Told):
            hear(answer.news)  # whose own errors are not the process's
            answer = self._answer()
        return answer

    def _answer(self, *tasks: Task) -> Any:
        try:
            for task in tasks:
                self.connection.send_bytes(cloudpickle.dumps(task))
            return cloudpickle.loads(self.connection.recv_bytes())
        except (EOFError, ConnectionError):
            self.process.join()
            raise ChildProcessError(epitaph(self.process.exitcode or 0)) from None


def get_ready(*modules: str) -> None:
    """Start the process from which the workers will be forked: it imports while this one goes on.

    It would import to the end though nobody waits for it any more, and hold the pipe that this one writes to.
    It imports these ``modules`` besides; once it runs, it takes no more.
    """
    forkserver.set_forkserver_preload([PRELOADED, *modules])
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # until ``work``
    forkserver.ensure_running()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    atexit.register(end, forkserver._forkserver._forkserver_pid)  # type: ignore[attr-defined]  # noqa: SLF001


def end(process: int) -> None:
    """End a process, if it still runs."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)


@contextmanager
def workers(n_jobs: int, threads: int) -> Iterator[Start]:
    """Do tasks in ``n_jobs`` processes, with so many threads each; one that dies is replaced.

    They are forked from a process that has imported everything, and keep the images from run to run.
    """
    get_ready()
    context = multiprocessing.get_context("forkserver")
    supervisors = ThreadPoolExecutor(n_jobs)
    idle: list[Worker] = []
    alive: list[BaseProcess] = []
    stopping = Event()

    def start() -> Worker:
        ours, its = context.Pipe()
        process = context.Process(target=work, args=(its, threads))  # no daemon: loaders may have workers
        process.start()
        its.close()
        alive.append(process)
        if stopping.is_set():  # while it started: nobody will end it
            process.terminate()
        return Worker(process, ours)

    def supervise(task: Task, hear: Hear) -> Any:
        try:
            worker = idle.pop()
        except IndexError:
            worker = start()
        answer = worker.run(task, hear)
        idle.append(worker)
        if isinstance(answer, Raised):
            raise answer.error
        return answer

    try:
        yield lambda tasks, hear: [supervisors.submit(supervise, task, hear).result for task in tasks]
    finally:
        supervisors.shutdown(wait=False, cancel_futures=True)
        stopping.set()
        for process in alive:
            process.terminate()


@contextmanager
def processes(n_jobs: int, threads: int) -> Iterator[Submit]:
    """Run jobs in ``n_jobs`` processes, with so many threads each."""
    with workers(n_jobs, threads) as start:
        yield submitting(start)


def submitting(start: Start) -> Submit:
    """Return what starts jobs as tasks; they have nothing to tell before their end."""
    return lambda jobs: start([job.execute for job in jobs], print)


def work(connection: Connection, threads: int) -> None:
    """Do the tasks that come in, one after another, until the parent is gone."""
    import torch  # noqa: PLC0415 - the parent has no need of it

    gc.freeze()  # what was imported before the fork is not worth looking through for garbage
    gc.enable()
    torch.set_num_threads(threads)
    multiprocessing.set_start_method(None, force=True)  # workers of a DataLoader start as in a run by itself

    def answer(content: Any) -> None:
        connection.send_bytes(cloudpickle.dumps(content))

    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        while True:
            task: Task = cloudpickle.loads(connection.recv_bytes())
            answer(done(task, lambda news: answer(Told(news))))
    except (EOFError, ConnectionError, KeyboardInterrupt):
        return


def done(task: Task, tell: Hear) -> Any:
    """Do a task; return its result, or what ended it."""
    try:
        return task(tell)
    except ConnectionError:  # nobody listens any more
        raise
    except Exception as error:  # noqa: BLE001 - it is for the parent to judge
        return Raised(error)


def epitaph(exitcode: int) -> str:
    """Say how a process ended."""
    if exitcode >= 0:
        return f"its process ended with status {exitcode}"
    hint = " (out of memory?)" if -exitcode == signal.SIGKILL else ""
    return f"its process was ended by {signal.Signals(-exitcode).name}{hint}"
