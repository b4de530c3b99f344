"""What eval.py refuses, and its help."""

import re
from pathlib import Path

import pytest
import torch

from commands import Command
from overnight.config.folders import SHIPPED

FOREIGN = {
    "nothing": None,
    "text": b"not a checkpoint",
    "an empty file": b"",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN.keys())
def test_eval_refuses_a_file_that_is_no_checkpoint(
    content: bytes | None, command: Command, tmp_path: Path
) -> None:
    path = tmp_path / "some.ckpt"
    if content is not None:
        path.write_bytes(content)
    result = command("eval.py", f"ckpt_path={path}")
    assert result.status == 1
    assert result.stderr.startswith(f"Error: ckpt_path={path}")
    assert "Traceback" not in result.stderr


def test_eval_refuses_a_checkpoint_of_another_program(command: Command, tmp_path: Path) -> None:
    torch.save({"state_dict": {"weight": torch.zeros(2)}}, tmp_path / "other.ckpt")
    result = command("eval.py", f"ckpt_path={tmp_path / 'other.ckpt'}")
    assert result.status == 1
    assert "is a file of something else" in result.stderr


@pytest.mark.parametrize("typed", ["data=synthetic", "+data=mnist", "+foo=1", "foo=1"])
def test_eval_refuses_a_key_that_it_would_not_read(typed: str, command: Command) -> None:
    result = command("eval.py", "ckpt_path=best.ckpt", typed)
    assert result.status == 1
    assert re.match(r"Error: \w+: (eval.py has|there is) no such (key|group)\. .*data_root", result.stderr)


def test_eval_needs_a_checkpoint(command: Command) -> None:
    result = command("eval.py")
    assert result.status == 1
    assert "ckpt_path: a value is missing" in result.stderr


def test_help_of_eval_shows_its_keys_and_its_own_groups_only(command: Command) -> None:
    text = command("eval.py", "--help").stdout
    assert (SHIPPED / "eval.yaml").read_text() in text
    assert "  tta             flip, none\n" in text
    assert "rmsprop" not in text
