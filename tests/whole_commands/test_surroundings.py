"""A run in strange surroundings, as containers and clusters have them."""

import pwd
from pathlib import Path

import pytest

from commands import SHORT, Command
from overnight.records.record import read_record


def unknown(uid: int) -> pwd.struct_passwd:
    raise KeyError(f"getpwuid(): uid not found: {uid}")


SLOW = [pytest.param(home, marks=pytest.mark.slow) for home in ("", "/nonexistent")]


@pytest.mark.parametrize("home", [None, *SLOW])
def test_a_user_without_name_and_home_may_train(
    home: str | None, command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    if home is not None:
        monkeypatch.setenv("HOME", home)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    result = command("train.py", *SHORT, "task_name=nobody")
    assert (result.status, result.stderr) == (0, "")
    record = read_record(tmp_path / "outputs" / "runs" / "nobody")
    assert record
    assert record["status"] == "completed"
    assert {path.name for path in tmp_path.iterdir()} == {"outputs"}
