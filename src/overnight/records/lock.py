"""A run's directory belongs to one process at a time; what a killed process held is free again."""

import json
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from overnight.records.record import claim

log = logging.getLogger(__name__)

LOCK_FILE = ".running"


@contextmanager
def locked(directory: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the directory and say in it who does; wait for another process that does, or tell False.

    The operating system frees it if this process dies. The file stays where a process was killed:
    ``is_abandoned`` tells by it.
    """
    path = directory / LOCK_FILE
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            yield False
            return
        log.warning("waiting: %s is being run by %s", directory, lock_holder(directory))
        lock.acquire(timeout=-1)
    try:
        path.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}), encoding="utf-8")
        yield True
    finally:
        path.unlink(missing_ok=True)  # while it is held: who waits for it sees that, and starts over
        lock.release()


@contextmanager
def claimed(directory: Path, sweep: str = "", job: str = "") -> Iterator[bool]:
    """Hold the directory of a run and mark it as one; see ``record.claim``, which says what is given."""
    with locked(directory):
        yield claim(directory, sweep, job)


def lock_holder(directory: Path) -> str:
    """Return the process that wrote the claim, for a person to read."""
    try:
        claim: dict[str, Any] = json.loads((directory / LOCK_FILE).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # released, or just being written
        return "another process"
    return f"process {claim['pid']} on {claim['host']}"


def is_abandoned(directory: Path) -> bool:
    """Tell whether a process claimed this directory and died without a word."""
    path = directory / LOCK_FILE
    if not path.is_file():
        return False
    try:
        with FileLock(path, timeout=0):
            return path.is_file()
    except Timeout:
        return False


def is_running(directory: Path) -> bool:
    """Tell whether a living process holds this directory."""
    return (directory / LOCK_FILE).is_file() and not is_abandoned(directory)
