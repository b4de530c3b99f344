"""hydra/launcher=ray: the runs of a sweep as tasks of Ray, on this machine or on a cluster."""

import io
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

# Read when ray is imported: a process that dies is told of by its run's record, not by ten lines of Ray.
os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "A worker died or was killed while executing a task")

import ray
from hydra.core.utils import JobReturn
from omegaconf import OmegaConf
from ray.exceptions import RayTaskError

from overnight.config.folders import PROJECT
from overnight.launchers.job import Job, Submit

Told = tuple[JobReturn, str]  # a job's result, and what it printed

ASKED_FOR = re.compile(r"\$\{oc\.env:(\w+)")
"""A variable of the environment that a configuration asks for."""


@contextmanager
def ray_cluster(init: dict[str, Any], remote: dict[str, Any]) -> Iterator[Submit]:
    """Start Ray or connect to it, with the arguments of ``ray.init`` and, for each task, ``ray.remote``.

    Raises:
        ValueError: Ray does not know one of the arguments.
        ConnectionError: there is no Ray at the address.
    """
    task = understood("remote", lambda: ray.remote(**given(remote))(execute))
    if not ray.is_initialized():
        check_answers(init["address"] or "")
        understood("init", partial(ray.init, **given(init)))
    warn_of_waiting(given(remote))
    threads = max(1, int(remote["num_cpus"] or 1))

    def submit(jobs: list[Job]) -> list[Callable[[], JobReturn]]:
        futures = [task.remote(job, Path.cwd(), variables(job), threads).future() for job in jobs]
        for future in futures:
            future.add_done_callback(tell)
        return [partial(result, future) for future in futures]

    yield submit


def variables(job: Job) -> dict[str, str]:
    """Return the variables of whoever typed the sweep that the job needs on another machine."""
    names = {PROJECT, *ASKED_FOR.findall(OmegaConf.to_yaml(job.config))}
    return {name: os.environ[name] for name in sorted(names & os.environ.keys())}


def given(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that are not left to Ray."""
    return {key: value for key, value in arguments.items() if value is not None}


def understood(part: str, call: Callable[[], Any]) -> Any:
    """Call Ray, and say whose arguments it does not understand."""
    try:
        return call()
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(f"hydra.launcher.ray.{part}: {error}") from error


def check_answers(address: str) -> None:
    """Try HOST:PORT; a ConnectionError says that nobody answers. Ray tries for a quarter of an hour."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except OSError as error:
        raise ConnectionError(
            f"hydra.launcher.ray.init.address={address}: no Ray answers ({error})"
        ) from error


def warn_of_waiting(remote: dict[str, Any]) -> None:
    """Say so if no node has what a task asks for: Ray is silent, and waits for one that may never come."""
    asked = {
        "CPU": remote.get("num_cpus", 1),
        "GPU": remote.get("num_gpus", 0),
        **remote.get("resources", {}),
    }
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    if not any(all(node.get(name, 0) >= amount for name, amount in asked.items()) for node in nodes):
        listed = ", ".join(f"{amount} {name}" for name, amount in asked.items() if amount)
        sys.stdout.write(f"no node of this Ray has {listed}, which a run asks for: waiting until one joins\n")
        sys.stdout.flush()


def execute(job: Job, folder: Path, sent: dict[str, str], threads: int) -> Told:
    """Run the job in the folder where the sweep was typed; a node's processes start elsewhere."""
    import torch  # noqa: PLC0415 - the driver has no need of it

    torch.set_num_threads(threads)
    os.chdir(folder)
    os.environ.update(sent)
    with redirect_stdout(io.StringIO()) as printed:
        returned = job.execute()
    return returned, printed.getvalue()


def tell(future: Future[Told]) -> None:
    """Print what a finished job printed, as soon as it has finished."""
    if not future.exception():
        sys.stdout.write(future.result()[1])
        sys.stdout.flush()


def result(future: Future[Told]) -> JobReturn:
    """Wait for a job; a ChildProcessError says that its process died, or could not even start it."""
    try:
        return future.result()[0]
    except Exception as error:
        raise ChildProcessError(epitaph(error)) from error


def epitaph(error: Exception) -> str:
    """Say in one line what Ray says in many."""
    cause = (isinstance(error, RayTaskError) and error.cause) or error
    sentence = re.split(r"\.\s|\n", str(cause).strip(), maxsplit=1)[0]
    return f"its Ray task ended with {type(cause).__name__}: {sentence}"
