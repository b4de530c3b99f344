"""Foreign modules whose processes are killed, and swept in processes side by side."""

from pathlib import Path

import pytest

from commands import ran, result
from foreign_runs import MODULES, TRAIN, module, once, recorded

pytestmark = pytest.mark.slow
SIDE_BY_SIDE = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.launcher.threads=1")
KILLED = -9


@pytest.mark.parametrize("name", MODULES)
def test_killed_and_resumed_it_is_as_if_it_had_not_been(name: str, tmp_path: Path) -> None:
    run = (*module(name), once(tmp_path / "marker", kill=True))
    assert ran(tmp_path, TRAIN, *run).status == KILLED
    assert ran(tmp_path, TRAIN, *run, "ckpt_path=last").status == 0
    resumed = recorded(tmp_path)
    (tmp_path / "outputs").rename(tmp_path / "resumed")
    assert ran(tmp_path, TRAIN, *run).status == 0
    assert result(resumed) == result(recorded(tmp_path))


@pytest.mark.parametrize("name", MODULES)
def test_in_processes_side_by_side_it_is_what_it_is_one_by_one(name: str, tmp_path: Path) -> None:
    jobs = [f"sweeps/mine/seed={seed}" for seed in (0, 1)]
    assert ran(tmp_path, TRAIN, "-m", *module(name), "seed=0,1").status == 0
    alone = [recorded(tmp_path, job) for job in jobs]
    (tmp_path / "outputs").rename(tmp_path / "alone")
    assert ran(tmp_path, TRAIN, "-m", *module(name), "seed=0,1", *SIDE_BY_SIDE).status == 0
    assert [result(recorded(tmp_path, job)) for job in jobs] == list(map(result, alone))
