"""A directory is one process's at a time, and free again when that process dies."""

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from overnight.records.lock import LOCK_FILE, is_abandoned, is_running, lock_holder, locked

HOLD = """
import sys, pathlib, overnight.records.lock
with overnight.records.lock.locked(pathlib.Path(sys.argv[1])):
    print(flush=True)
    input()
"""


def hold(directory: Path) -> subprocess.Popen[str]:
    """Let another process hold the directory, until it reads a line."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(directory)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    process.stdout.readline()
    return process


def test_a_lock_is_seen_while_it_lasts_and_leaves_nothing(tmp_path: Path) -> None:
    assert not is_running(tmp_path)
    with hold(tmp_path) as process:
        assert is_running(tmp_path)
        assert not is_abandoned(tmp_path)
        assert lock_holder(tmp_path).startswith(f"process {process.pid} on ")
        process.communicate("\n")
    assert not is_running(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_held_is_abandoned_and_free(tmp_path: Path) -> None:
    with hold(tmp_path) as process:
        process.send_signal(signal.SIGKILL)
    assert is_abandoned(tmp_path)
    assert not is_running(tmp_path)
    with locked(tmp_path):
        assert not is_abandoned(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_who_comes_second_waits_and_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    entered = threading.Event()

    def wait() -> None:
        with locked(tmp_path):
            entered.set()

    with hold(tmp_path) as process, caplog.at_level("INFO"):
        thread = threading.Thread(target=wait)
        thread.start()
        while "waiting" not in caplog.text:
            assert thread.is_alive()
        assert not entered.is_set()
        process.communicate("\n")
        thread.join(timeout=60)
    assert entered.is_set()
    assert f"is being run by process {process.pid}" in caplog.text


def test_a_lock_ends_with_an_error_too(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="odd"), locked(tmp_path):
        raise RuntimeError("odd")
    assert not (tmp_path / LOCK_FILE).exists()
