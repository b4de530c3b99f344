"""A disk that is full or cannot be written: a clear message, no success, and what is recorded stays."""

import errno
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands import ROOT, SHORT, Command, Result, environment, every
from overnight.records import record
from overnight.runs import run

FULL, READ_ONLY = "size=20m", "ro"  # room for two runs, side by side or not, and none for four
SIDE_BY_SIDE = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]


def on_a_small_disk(folder: Path, options: str, *arguments: str) -> Result:
    """Run train.py with outputs/ on a disk of its own; keep what it left, and the status, in kept/."""
    (folder / "outputs").mkdir()
    train = shlex.join([sys.executable, str(ROOT / "train.py"), *arguments])
    script = (
        f"mount -t tmpfs -o {options} tmpfs outputs && {{ {train}; echo $? > status; cp -r outputs kept; }}"
    )
    process = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if not (folder / "status").exists():
        pytest.skip(f"no file system can be mounted here: {process.stderr}")
    return Result(int((folder / "status").read_text()), process.stdout, process.stderr)


@pytest.fixture
def unshare() -> None:
    if not shutil.which("unshare"):
        pytest.skip("unshare is not installed")


@pytest.mark.slow
@pytest.mark.usefixtures("unshare")
@pytest.mark.parametrize("launcher", [[], SIDE_BY_SIDE], ids=["basic", "joblib"])
def test_a_full_disk_is_no_success_and_loses_no_record(launcher: list[str], tmp_path: Path) -> None:
    arguments = ["-m", "seed=0,1,2,3", *SHORT, "task_name=full", *launcher]
    result = on_a_small_disk(tmp_path, FULL, *arguments)
    assert result.status == 1
    assert "No space left on device" in result.stdout + result.stderr
    records = [json.loads(path.read_text()) for path in (tmp_path / "kept").rglob("run.json")]
    completed = [record for record in records if record["status"] == "completed"]
    assert 1 <= len(completed) < 4
    assert {record["status"] for record in records} <= {"completed", "failed"}


@pytest.mark.slow
@pytest.mark.usefixtures("unshare")
@pytest.mark.parametrize("arguments", [["-m", "seed=0,1"], ["seed=0"]], ids=["sweep", "run"])
def test_a_folder_that_cannot_be_written_is_said(arguments: list[str], tmp_path: Path) -> None:
    result = on_a_small_disk(tmp_path, READ_ONLY, *arguments, *SHORT)
    assert result.status == 1
    assert "cannot be written: Read-only file system. Needed: a folder" in result.stderr
    assert "Warning" not in result.stderr


@pytest.mark.parametrize("code", every(2, [errno.ENOSPC, errno.EROFS]))
def test_a_record_that_cannot_be_written_is_no_success_and_loses_no_other(
    code: int, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_record = record.write_record

    def full(written: record.Record, directory: Path) -> Path:
        if written["config"]["seed"] == 1:
            raise OSError(code, os.strerror(code), str(directory))
        return write_record(written, directory)

    monkeypatch.setattr(run, "write_record", full)
    ended = command("train.py", *SHORT, "-m", "seed=0,1,2", "task_name=full")
    assert ended.status == 1
    assert f"cannot be written: {os.strerror(code)}. Needed: a folder" in ended.stderr
    kept = [record.read_record(path) for path in record.find_runs(tmp_path)]
    assert [(found or {}).get("status") for found in kept] == ["completed"] * 2


@pytest.mark.parametrize("arguments", [["-m", "seed=0,1"], ["seed=0"]], ids=["sweep", "run"])
def test_a_file_in_place_of_the_outputs_is_said(
    arguments: list[str], command: Command, tmp_path: Path
) -> None:
    (tmp_path / "outputs").touch()
    refused = command("train.py", *arguments, *SHORT)
    assert refused.status == 1
    assert "cannot be written: Not a directory. Needed: a folder" in refused.stderr
