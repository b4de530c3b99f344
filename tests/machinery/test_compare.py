"""The leaderboard of any runs."""

from pathlib import Path

import pytest

import records
from overnight import study
from overnight.study.design import varying
from overnight.study.score import Score
from overnight.sweeps.leaderboard import leaderboard, winner


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


def test_the_leaderboard_has_the_metric_of_the_runs_and_its_mode(tmp_path: Path) -> None:
    for lr, loss in ((0.1, 2.0), (0.2, 0.5)):
        records.write(tmp_path, records.record({"lr": lr}, loss, score=records.LOSS))
    records.write(tmp_path, records.record({"lr": 9.0}, 0.1, "diverged", score=records.LOSS))
    board = leaderboard(study.load(tmp_path))
    assert [*board.columns] == ["lr", "val/loss", "train/loss", "epoch", "seconds", "status"]
    assert board["lr"].tolist() == [0.2, 0.1, 9.0]  # what diverged stands last, whatever it had reached


def test_without_a_metric_there_is_a_table_of_the_runs_and_no_winner(tmp_path: Path) -> None:
    for lr in (0.1, 0.2):
        records.write(tmp_path, records.record({"lr": lr}, score=Score(None, None)))
    runs = study.load(tmp_path)
    assert [*leaderboard(runs).columns] == ["lr", "seconds", "status"]
    assert winner(runs) == []


def test_runs_with_different_metrics_are_shown_and_not_ranked(tmp_path: Path) -> None:
    for score in (records.F1, records.LOSS):
        records.write(tmp_path, records.record({"lr": 0.1}, 0.5, score=score))
    runs = study.load(tmp_path)
    assert {"val/f1", "val/loss"} <= {*leaderboard(runs).columns}
    assert winner(runs) == []


WON = {
    "a share": (records.ACCURACY, ": lr=0.2, test/acc 0.9000 +- 0.0059 (95 %, sampling of 10,000)"),
    "another metric": (records.F1, ": lr=0.2, test/f1 0.9000"),
    "lower is better": (records.LOSS, ": lr=0.1, test/loss 0.8000"),
}


@pytest.mark.parametrize(("score", "told"), WON.values(), ids=WON.keys())
def test_the_winner_is_named_with_its_one_result_on_the_test_set(
    score: Score, told: str, tmp_path: Path
) -> None:
    for lr, reached in ((0.1, 0.8), (0.2, 0.9)):
        run = records.write(tmp_path, records.record({"lr": lr}, reached, score=score))
        weights = run / "checkpoints" / "best.ckpt"
        weights.parent.mkdir()
        weights.touch()
    best, measure = winner(study.load(tmp_path))
    assert best == f"best by {score.metric}{told}"
    assert measure.startswith("measure: python eval.py ckpt_path=")
    for weights in tmp_path.rglob("best.ckpt"):
        weights.unlink()
    assert winner(study.load(tmp_path)) == [best]  # there is nothing to measure


def test_a_winner_of_foreign_data_has_no_sizes_and_maybe_no_test(tmp_path: Path) -> None:
    made = records.record({"lr": 0.1}, 0.8) | {"data": None, "checkpoint": None}
    made["best"] = {"epoch": 2, "val/acc": 0.8, "test/acc": None}
    records.write(tmp_path, made)
    assert winner(study.load(tmp_path)) == ["best by val/acc: the only run"]


def test_a_winner_whose_record_is_in_doubt_says_so(tmp_path: Path) -> None:
    records.write(tmp_path, records.record({"lr": 0.1}, 0.9) | {"checked": "val/acc was 0.8 again"})
    records.write(tmp_path, records.record({"lr": 0.2}, 0.8))
    (best,) = winner(study.load(tmp_path))
    assert best.endswith("\nnot confirmed: val/acc was 0.8 again")
