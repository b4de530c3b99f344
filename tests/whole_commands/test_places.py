"""A run in a folder that holds other things, and one with the configuration of an earlier run."""

from pathlib import Path

import pytest

from commands import SHORT, Command, contents, result
from overnight.records.record import read_record


def test_a_run_beside_other_files_leaves_them_as_they_are(command: Command, tmp_path: Path) -> None:
    for name in ("thesis.tex", "train.py", "conf/train.yaml", "checkpoints/mine.ckpt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    theirs = contents(tmp_path)
    for lr in ("lr=0.1", "lr=0.2"):  # the second one sets aside what the first has left
        assert command("train.py", *SHORT, "trainer.max_epochs=1", "hydra.run.dir=.", lr).status == 0
    left = contents(tmp_path)
    assert {name: left[name] for name in theirs} == theirs
    assert (tmp_path / "run.json").is_file()


@pytest.mark.slow
def test_the_configuration_of_a_run_gives_that_run_again(command: Command, tmp_path: Path) -> None:
    assert command("train.py", *SHORT, "optimizer=sgd", "hydra.run.dir=first").status == 0
    saved = ["--config-path", str(tmp_path / "first" / ".hydra"), "--config-name", "config"]
    assert command("train.py", *saved, "hydra.run.dir=again").status == 0
    first, again = (read_record(tmp_path / name) for name in ("first", "again"))
    assert first
    assert again
    assert again["checked"] is True
    assert result(again)["history"] == result(first)["history"]
