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

log = logging.getLogger(__name__)

LOCK_FILE = ".running"


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory; wait for whoever holds it. The operating system frees it if this process dies.

    The file stays where a process was killed: ``is_abandoned`` tells by it.
    """
    lock = FileLock(directory / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("waiting: %s is being run by %s", directory, lock_holder(directory))
        lock.acquire(timeout=-1)
    with signed(directory, lock):
        yield


@contextmanager
def locked_if_free(directory: Path) -> Iterator[bool]:
    """Hold the directory if nobody does, and tell whether it is held now."""
    lock = FileLock(directory / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    with signed(directory, lock):
        yield True


@contextmanager
def signed(directory: Path, lock: FileLock) -> Iterator[None]:
    """Say in the directory who holds it, as long as the lock that was acquired is needed."""
    path = directory / LOCK_FILE
    try:
        path.write_text(json.dumps({"pid": os.getpid(), "host": socket.gethostname()}), encoding="utf-8")
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: who waits for it sees that, and starts over
        lock.release()


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
