"""A run of a sweep is stopped where others were better after as many epochs."""

from pathlib import Path
from typing import Any

import hydra
import pytest
from omegaconf import OmegaConf

from overnight.config.folders import SHIPPED
from overnight.records import sweep_state
from overnight.search.pruning import REPORTS, Pruning, Reports, read_reports, write_reports


def build(option: str, mode: str = "max") -> Pruning:
    """Build the callback of a file in the group ``pruning``, for nine epochs."""
    file = OmegaConf.load(SHIPPED / "pruning" / f"{option}.yaml")
    config = OmegaConf.merge(file, {"metric": "m", "mode": mode, "trainer": {"max_epochs": 9}})
    built: Pruning = hydra.utils.instantiate(config.callbacks.pruning)
    return built


def fill(root: Path, runs: int, epochs: int = 9, *, pruned: bool = False) -> None:
    """Leave the reports of runs, each better by a tenth than the one before, after every epoch."""
    sweep_state.begin(root, total=runs, command="")
    for number in range(runs):
        (root / f"lr={number}").mkdir()
        values = {epoch: number / 10 + epoch / 100 for epoch in range(1, epochs + 1)}
        write_reports(Reports(float(number), pruned, values), root / f"lr={number}" / REPORTS)


def rows(value: float, epochs: int) -> list[dict[str, Any]]:
    return [{"epoch": epoch, "m": value + epoch / 100} for epoch in range(epochs + 1)]


@pytest.mark.parametrize(("value", "mode", "stopped"), [(0.05, "max", True), (0.75, "max", False)])
@pytest.mark.parametrize("turned", [False, True])
def test_the_median_of_the_others_decides(
    value: float, mode: str, stopped: bool, turned: bool, tmp_path: Path
) -> None:
    fill(tmp_path, runs=8)
    (tmp_path / "own").mkdir()
    pruning = build("median", "min" if turned else mode)
    assert pruning.report(rows(value, 2), tmp_path / "own", 20) is (stopped is not turned)
    assert read_reports(tmp_path / "own" / REPORTS).pruned is (stopped is not turned)


def test_who_has_not_come_as_far_or_was_stopped_has_no_say(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    fill(tmp_path, runs=8, epochs=3)
    assert not build("median").report(rows(0.0, 4), tmp_path / "own", 20)
    for path in tmp_path.glob(f"lr=*/{REPORTS}"):
        write_reports(read_reports(path)._replace(pruned=True), path)
    assert not build("median").report(rows(0.0, 2), tmp_path / "own", 20)


def test_a_run_by_itself_is_never_stopped(tmp_path: Path) -> None:
    fill(tmp_path, runs=8)
    (tmp_path / sweep_state.PLAN).unlink()
    (tmp_path / "own").mkdir()
    assert not build("median").report(rows(0.0, 5), tmp_path / "own", 20)


def test_hyperband_stops_most_of_the_bad_and_none_of_the_best(tmp_path: Path) -> None:
    fill(tmp_path, runs=30)
    (tmp_path / "own").mkdir()
    bad = [
        any(
            build("hyperband").report(rows(value / 100, epochs), tmp_path / "own", 20)
            for epochs in range(1, 10)
        )
        for value in range(5)
    ]
    assert any(bad)
    assert not any(
        build("hyperband").report(rows(9.0, epochs), tmp_path / "own", 20) for epochs in range(1, 10)
    )


def test_a_metric_that_is_not_measured_decides_nothing(tmp_path: Path) -> None:
    fill(tmp_path, runs=8)
    (tmp_path / "own").mkdir()
    assert not build("median").report([{"epoch": 0, "m": 0.1}, {"epoch": 1, "m": None}], tmp_path / "own", 20)
    assert not build("median").report([{"epoch": 0, "m": 0.1}, {"epoch": 1}], tmp_path / "own", 20)


def test_a_value_of_zero_is_a_value(tmp_path: Path) -> None:
    fill(tmp_path, runs=8)
    (tmp_path / "own").mkdir()
    assert build("median").report([{"epoch": 1, "m": 0.0}], tmp_path / "own", 20)


@pytest.mark.parametrize("text", ["", "{", '{"begun": 1}\n', "[]\n[]"])
def test_damaged_reports_count_for_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / REPORTS).write_text(text)
    assert read_reports(tmp_path / REPORTS).values == {}


def test_nothing_is_stopped_after_its_last_epoch(tmp_path: Path) -> None:
    fill(tmp_path, runs=8)
    (tmp_path / "own").mkdir()
    assert not build("median").report(rows(0.0, 5), tmp_path / "own", 5)
    assert build("median").report(rows(0.0, 5), tmp_path / "own", 6)
