"""The folder of a run, in which other things may lie."""

from pathlib import Path

import pytest

import records
from overnight.records.record import OWN, SCHEMA, claim, find_runs, read_record, set_aside, write_record


def leave_a_run(directory: Path, name: str) -> dict[str, str]:
    """Leave what a run leaves; return the content of each file by its path."""
    (directory / "checkpoints").mkdir(parents=True, exist_ok=True)
    write_record({"schema": SCHEMA, "name": name}, directory)
    for path in ("checkpoints/best.ckpt", "checkpoints/last.ckpt", "events.out.tfevents.1.host.2.0"):
        (directory / path).write_text(f"{name}: {path}")
    return contents(directory)


def contents(directory: Path) -> dict[str, str]:
    paths = (path for path in directory.rglob("*") if path.is_file())
    return {str(path.relative_to(directory)): path.read_text() for path in paths}


def test_set_aside_keeps_everything_out_of_the_way(tmp_path: Path) -> None:
    left = leave_a_run(tmp_path, "first")
    told = set_aside(tmp_path)
    assert told
    assert contents(told) == left
    assert read_record(tmp_path) is None


def test_set_aside_twice_keeps_both(tmp_path: Path) -> None:
    for name in ("first", "second"):
        leave_a_run(tmp_path, name)
        set_aside(tmp_path)
    kept = [contents(aside)["checkpoints/best.ckpt"] for aside in tmp_path.glob(".aside-*")]
    assert sorted(kept) == ["first: checkpoints/best.ckpt", "second: checkpoints/best.ckpt"]


def test_set_aside_does_nothing_where_there_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text("so far")
    set_aside(tmp_path)
    assert contents(tmp_path) == {"train.log": "so far"}


def test_find_sees_records_at_any_depth_but_none_that_was_set_aside(tmp_path: Path) -> None:
    for name in ("b", "a/deep/down", "old"):
        leave_a_run(tmp_path / name, name)
    set_aside(tmp_path / "old")
    (tmp_path / "empty").mkdir()
    assert find_runs(tmp_path) == [tmp_path / "a/deep/down", tmp_path / "b"]
    assert find_runs(tmp_path / "b") == [tmp_path / "b"]
    assert find_runs(tmp_path / "nowhere") == []


def test_what_no_run_wrote_stays_where_it_is(tmp_path: Path) -> None:
    others = dict.fromkeys(("thesis.tex", "conf/train.yaml", "checkpoints/kept.ckpt", "train.log"), "mine")
    claim(tmp_path)
    leave_a_run(tmp_path, "first")
    for name, text in others.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    set_aside(tmp_path)
    left = contents(tmp_path)
    assert {name: left.get(name) for name in others} == others
    claim(tmp_path)


def test_the_checkpoint_that_the_record_names_is_set_aside_too(tmp_path: Path) -> None:
    leave_a_run(tmp_path, "first")
    (tmp_path / "checkpoints" / "epoch[3].ckpt").write_text("best")
    write_record(records.record({}) | {"checkpoint": "checkpoints/epoch[3].ckpt"}, tmp_path)
    aside = set_aside(tmp_path)
    assert aside
    assert (aside / "checkpoints" / "epoch[3].ckpt").read_text() == "best"


@pytest.mark.parametrize("name", OWN)
def test_a_folder_is_refused_in_which_a_run_would_overwrite_what_none_wrote(
    name: str, tmp_path: Path
) -> None:
    path = tmp_path / name.replace("*", "1.host")
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    with pytest.raises(FileExistsError, match=path.name):
        claim(tmp_path)
    assert contents(tmp_path) == {str(path.relative_to(tmp_path)): "mine"}
