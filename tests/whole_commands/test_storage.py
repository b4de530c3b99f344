"""Where a search keeps its trials: any database that can be opened, by default in its folder."""

import os
from pathlib import Path
from typing import Any

import pytest

from commands import ROOT
from overnight.config.errors import ConfigError
from overnight.config.resolvers import sqlite
from overnight.search.search import search
from overnight.search.storage import find_database, open_storage
from searches import IGNORED, Parabola, settings

WRONG_STORAGES = {
    "in no folder": "sqlite:////nowhere/x.db",
    "a folder": "sqlite:////etc",
    "no database": f"sqlite:///{__file__}",
    "of an unknown kind": "nosuch://x",
    "no URL": "search.db",
    "empty": "",
    "with a missing driver": "postgresql+nosuch://host/name",
    "with a port in words": "postgresql://host:port/name",
    "with braces": "sqlite:///{x}/optuna.db",
    "a number": 5,
}


@pytest.mark.parametrize("storage", WRONG_STORAGES.values(), ids=WRONG_STORAGES.keys())
def test_a_storage_that_cannot_be_opened_is_refused(storage: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        search(settings(tmp_path, storage=storage), ["x=1,2"], tmp_path, *IGNORED, Parabola())
    said = str(caught.value)
    assert said.startswith(f"hydra.sweeper.storage={storage}: cannot be opened (")
    assert "Type for example: hydra.sweeper.storage=sqlite:///" in said
    assert "sqlalche.me" not in said


def test_the_dashboard_shows_the_newest_search_to_this_machine_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there is no optuna\.db"):
        find_database("")
    for number, name in enumerate(("b", "c", "a")):
        (database := tmp_path / "outputs" / "sweeps" / name / "optuna.db").parent.mkdir(parents=True)
        database.touch()
        os.utime(database, (number, number))
    (tmp_path / "outputs" / "sweeps" / "grid").mkdir()
    assert find_database("") == "sqlite:///outputs/sweeps/a/optuna.db"
    (line,) = [line for line in (ROOT / "Makefile").read_text().splitlines() if "/optuna-dashboard" in line]
    assert '--host 127.0.0.1 "$$url"' in line


@pytest.mark.parametrize("name", ["why? not", "a#b", "100%", "50%41", "{x}", "a b", "a&b=c"])
def test_the_database_lies_in_the_folder_whatever_its_name(name: str, tmp_path: Path) -> None:
    directory = tmp_path / name
    minimum_of = settings(directory, storage=sqlite(f"{directory}/optuna.db"), n_trials=1)
    search(minimum_of, ["x=1,2"], directory, *IGNORED, Parabola())
    assert {path.name for path in tmp_path.iterdir()} == {name}
    assert (directory / "optuna.db").is_file()
    assert len(open_storage(find_database(str(directory))).get_all_studies()) == 1
