"""Tables under stacked training: each fold has features of its own, and is what it is by itself."""

import tempfile
from pathlib import Path
from typing import Any

import pytest

from commands import Command, every
from experiments import Compose
from known_tables import QUICK, QUIET
from overnight.stacked.check import check
from overnight.stacked.loop import StackedLoop
from overnight.stacked.member import Member
from overnight.stacked.proof import prove
from overnight.training.fit import train
from overnight.training.rows import whole_rows
from stacked_sweeps import approximate, recorded

GROUPS = {
    "folds and rates": (
        "meals",
        [f"data.folds=2 data.fold={fold} lr={lr}" for fold in (0, 1) for lr in (0.01, 0.001)],
    ),
    "folds of classes": ("votes", [f"data.folds=5 data.fold={fold}" for fold in range(5)]),
    "folds of numbers": ("meals", [f"data.folds=4 data.fold={fold}" for fold in range(4)]),
    "splits": ("votes", [f"data.split_seed={seed}" for seed in (0, 1)]),
}
"""Of each group the table, and its members as they are typed."""


@pytest.mark.parametrize("name", every(4, GROUPS))
def test_a_stacked_member_is_the_run_that_it_would_be_by_itself(
    name: str, compose: Compose, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Each member has its own features: standardized by its own training part."""
    table, runs = GROUPS[name]
    own = ["trainer=cpu", "trainer.max_epochs=2", "data.batch_size=32", *QUIET]  # folds of equal sizes
    places = [Path(tempfile.mkdtemp(dir=tmp_path)) for _ in runs]
    typed = [(*request.getfixturevalue(table), *own, *run.split()) for run in runs]
    configs = [compose(*each, directory=place) for each, place in zip(typed, places, strict=True)]
    prove([(configs[0], places[0])])
    members = [Member(config, place) for config, place in zip(configs, places, strict=True)]
    StackedLoop(members, check).fit(lambda epoch, count: None)
    assert len({member.data.official_train.features.data_ptr() for member in members}) == len(
        {member.data.split.digest() for member in members}
    )
    for member, config, place in zip(members, configs, places, strict=True):
        alone = train(config, place, {}, [], None)
        assert [row | {"seconds": None} for row in whole_rows(member.history.rows)] == [
            approximate(row | {"seconds": None}) for row in alone["history"]
        ]


@pytest.mark.slow
def test_a_stacked_sweep_of_folds_is_the_ordinary_one_and_is_reported(
    meals: list[str], command: Command, tmp_path: Path
) -> None:
    sweep = [*meals, *QUICK, "trainer.max_epochs=3", "data.folds=5", "data.fold=0,1,2,3,4", "lr=0.01,0.001"]
    launchers = {
        "ordinary": [],
        "stacked": ["hydra/launcher=stacked", "hydra.launcher.groups_at_a_time=1"],
    }
    for name, launcher in launchers.items():
        assert command("train.py", "-m", *sweep, *launcher, f"task_name={name}").status == 0
    records: dict[str, dict[str, Any]] = {
        name: {key.replace(name, ""): record for key, record in recorded(tmp_path, name).items()}
        for name in launchers
    }
    assert len(records["stacked"]) == 10
    for key, ours in records["ordinary"].items():
        theirs = next(r for k, r in records["stacked"].items() if k.startswith(key.partition("task_name")[0]))
        assert theirs["trained"].startswith("stacked with")
        assert theirs["checked"] is True
        assert theirs["data"] == ours["data"]
        assert theirs["best"] == approximate(ours["best"])
    assert command("report.py", "outputs/sweeps/stacked").status == 0
    report = tmp_path / "outputs" / "sweeps" / "stacked" / "report"
    drawn = {path.stem for path in (report / "figures").glob("*.png")}
    assert {"residuals", "columns"} <= drawn
    assert not drawn & {"learned", "errors"}
    assert "val/r2" in (report / "report.md").read_text()
