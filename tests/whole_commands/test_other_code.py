"""A project's code is edited, or its data: nothing old passes for new without a word."""

import importlib
import sys
from pathlib import Path

import pytest

from commands import SHORT, Command
from overnight.records import identity
from overnight.records.record import read_record

MINE = """
from fcnlab.synthetic import Synthetic
from overnight.data.in_memory import Source

FACTOR = 1.0


class Mine(Synthetic):
    def read(self):
        train, test = super().read()
        return Source(train._replace(features=train.features * FACTOR), test)
"""
TRAIN = ("train.py", *SHORT, "data._target_=mine.Mine", "hydra.run.dir=run")
EVAL = ("eval.py", "ckpt_path=run/checkpoints/best.ckpt", "trust=mine")


@pytest.fixture(autouse=True)
def trained(remembered: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions have one time
    edit(tmp_path, monkeypatch, MINE)
    assert remembered(*TRAIN).status == 0


def edit(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Write the module, and let it be imported anew, as in another process."""
    (folder / "mine.py").write_text(text)
    monkeypatch.delitem(sys.modules, "mine", raising=False)
    importlib.invalidate_caches()
    identity.module_hash.cache_clear()


def test_the_record_names_the_modules_of_the_project_alone(tmp_path: Path) -> None:
    known = (read_record(tmp_path / "run") or {})["sources"]
    assert {"mine", "fcnlab.synthetic", "fcnlab.task", "fcnlab.nets", "fcnlab.images"} <= {*known}
    assert {name.partition(".")[0] for name in known} == {"mine", "fcnlab"}


def test_a_comment_is_other_code_with_the_same_samples(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(tmp_path, monkeypatch, MINE + "# thought over\n")
    again = command(*TRAIN)
    assert "its record is of other code: mine changed since" in again.stdout + again.stderr
    measured = command(*EVAL)
    assert measured.status == 0
    assert "trained with other code: mine changed since" in measured.stdout + measured.stderr
    longer = command(*TRAIN, "ckpt_path=last", "trainer.max_epochs=3")
    assert "it goes on with other code, since mine changed" in longer.stdout + longer.stderr


def test_other_samples_are_not_measured_as_if_they_were_those_of_training(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(tmp_path, monkeypatch, MINE.replace("1.0", "2.0"))
    measured = command(*EVAL)
    assert measured.status == 1
    assert "since this checkpoint was trained: Mine has other samples" in measured.stderr


def test_a_stacked_sweep_says_which_records_are_of_other_code(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweep = (*TRAIN[:-1], "-m", "seed=0,1", "hydra/launcher=stacked", "task_name=both")
    assert "other code" not in command(*sweep).stdout
    edit(tmp_path, monkeypatch, MINE + "# thought over\n")
    again = command(*sweep)
    assert "recorded before: 2" in again.stdout
    assert "of other code: mine changed since" in again.stdout


def test_the_same_code_has_nothing_to_say(command: Command) -> None:
    for words in (TRAIN, EVAL):
        again = command(*words)
        assert again.status == 0
        assert "other code" not in again.stdout + again.stderr
