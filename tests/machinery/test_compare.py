"""The leaderboard of any runs."""

from pathlib import Path

import records
from overnight import study
from overnight.study.compare import leaderboard, varying


def test_the_leaderboard_ranks_by_validation_and_keeps_what_has_no_result(tmp_path: Path) -> None:
    for setting, accuracy in (({"lr": 0.1, "seed": 0}, 0.8), ({"lr": 0.2, "seed": 0}, 0.9)):
        records.write(tmp_path, records.record(setting, accuracy))
    records.write(tmp_path, records.record({"lr": -1, "seed": 0}, None, "failed"))
    runs = study.load(tmp_path)
    board = leaderboard(runs)
    assert varying(runs) == ["lr"]
    assert board["lr"].tolist() == [0.2, 0.1, -1]
    assert [*board.columns] == ["lr", "val/acc", "train/acc", "epoch", "seconds", "status"]
    assert board["epoch"].dtype == "float64"  # so that the terminal shows nothing where there is none
