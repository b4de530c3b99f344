"""What a report says of winners that were trained again."""

from pathlib import Path

import pytest

import records
from overnight.study.evidence import gather
from overnight.study.tables import problems, results
from sentences import STUDY, said, written


def test_a_confirmation_without_a_test_set_is_judged_by_the_metric(tmp_path: Path) -> None:
    written(tmp_path / "study", STUDY, records.LOSS)
    for setting in records.grid({"optimizer": ["adam", "rmsprop"], "lr": [0.1], "seed": [10, 11]}):
        made = records.record(setting | {"study.confirms": "study"}, 0.5, score=records.LOSS)
        made["best"] = {"epoch": 2, "val/loss": -0.9 + 0.1 * (setting["optimizer"] == "rmsprop")}
        records.write(tmp_path / "again", made)
    evidence = gather([tmp_path / "study", tmp_path / "again"])
    assert "Trained again with 2 fresh seeds: val/loss -0.9000" in said(evidence)["Answer"]
    confirmed = next(table for table in results(evidence) if table.name == "confirmed")
    assert confirmed.cells["optimizer"].tolist() == ["adam", "rmsprop"]
    assert "numbers to publish" not in confirmed.caption


def test_winners_that_were_trained_again_are_told_apart_from_the_study(tmp_path: Path) -> None:
    study, again = tmp_path / "study", tmp_path / "again"
    confirming = {"lr": [0.1], "seed": [10, 11, 12], "optimizer": ["adam", "sgd"]}
    written(again, confirming, **{"study.confirms": str(study), "study.scientific": ["optimizer"]})
    alone = written(study, STUDY)
    both = gather([study, again])
    assert both.arms.equals(alone.arms)
    assert len(both.confirming) == 6
    assert "Trained again with 3 fresh seeds: test/acc 0.9" in said(both)["Answer"]
    assert "And 6 runs to confirm the winners" in said(both)["What it cost"]
    (confirmed,) = [table for table in results(both) if table.name == "confirmed"]
    assert confirmed.cells["optimizer"].tolist() == ["adam", "sgd"]
    assert gather([again]).arms["n"].tolist() == [3, 3]


def test_a_confirmation_with_other_settings_says_so(tmp_path: Path) -> None:
    study, again = tmp_path / "study", tmp_path / "again"
    written(study, STUDY)
    confirming = {"lr": [0.5], "seed": [10, 11], "optimizer": ["adam", "sgd"]}
    written(again, confirming, **{"study.confirms": str(study), "study.scientific": ["optimizer"]})
    told = "The winners were trained again with other settings than they had: lr=0.5."
    assert told in said(gather([study, again]))["Cautions"]


def test_another_winner_on_fresh_seeds_is_told(tmp_path: Path) -> None:
    study, again = tmp_path / "study", tmp_path / "again"
    written(study, STUDY)
    for setting in records.grid({"optimizer": ["adam", "rmsprop"], "lr": [0.1], "seed": [10, 11, 12]}):
        reached = {"adam": 0.88, "rmsprop": 0.89}[setting["optimizer"]] + 0.0001 * (setting["seed"] % 2)
        records.write(again, records.record(setting | {"study.confirms": str(study)}, reached))
    told = said(gather([study, again]))["Answer"]
    assert "With the fresh seeds, optimizer=rmsprop has the best test/acc: 0.890" in told
    assert "(by 0.0100" in told


def test_runs_that_confirm_another_sweep_are_refused(tmp_path: Path) -> None:
    written(tmp_path / "study", STUDY)
    written(
        tmp_path / "again", {"optimizer": ["adam"], "lr": [0.1], "seed": [7]}, **{"study.confirms": "other"}
    )
    with pytest.raises(ValueError, match=r"confirm other, which is not given. Needed: a sweep and the runs"):
        gather([tmp_path / "study", tmp_path / "again"])


def test_a_lost_confirming_run_is_counted_and_listed(tmp_path: Path) -> None:
    written(tmp_path / "study", STUDY)
    lost = {"optimizer": "adam", "lr": 0.1, "seed": 9, "study.confirms": "study"}
    records.write(tmp_path / "again", records.record(lost, None, "diverged"))
    evidence = gather([tmp_path / "study", tmp_path / "again"])
    assert "1 of 1 run to confirm the winners diverged" in said(evidence)["What failed"]
    assert len(problems(evidence)[0].cells) == 1
