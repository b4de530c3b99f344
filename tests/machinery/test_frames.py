"""The notebook's door: every record is a row with typed columns, or is named with the reason why not."""

import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import records
from overnight import study
from overnight.records.record import RECORD_FILE
from overnight.study.design import design
from overnight.study.frames import ALWAYS, NUMBERS, settings
from overnight.study.score import Score


def test_a_run_is_a_row_with_its_settings_and_results(tmp_path: Path) -> None:
    folder = records.write(tmp_path, records.record({"optimizer": "sgd", "lr": 0.1, "seed": 3}, 0.87))
    (run,) = study.load(tmp_path).to_dict("records")
    assert (run["optimizer"], run["lr"], run["seed"], run["trainer.max_epochs"]) == ("sgd", 0.1, 3, 2)
    assert (run["path"], run["status"], run["epoch"], run["epochs"]) == (str(folder), "completed", 2, 2)
    assert (run["val/acc"], run["parameters"], run["test samples"]) == (0.87, 235146, 10000)


@pytest.mark.parametrize("statuses", [["failed"], ["completed", "failed", "diverged"], []])
def test_columns_have_their_types_whatever_failed(statuses: list[str], tmp_path: Path) -> None:
    for status in statuses:
        records.write(tmp_path, records.record({"lr": 0.1}, None if status != "completed" else 0.8, status))
    runs = study.load(tmp_path)
    assert list(runs.get("status", [])) == statuses
    assert {*ALWAYS} <= {*runs.columns}
    assert {key: str(runs[key].dtype) for key in NUMBERS} == NUMBERS


def test_a_run_whose_configuration_could_not_be_composed_is_known_by_what_was_typed(tmp_path: Path) -> None:
    failed = records.record({"optimizer": "sgd", "lr": 0.1}, status="failed")
    records.write(tmp_path, failed | {"config": None, "overrides": ["optimizer=sgd", "lr=1e-1", "+a.b=x"]})
    (run,) = study.load(tmp_path).to_dict("records")
    assert (run["optimizer"], run["lr"], run["a.b"], run["error"]) == ("sgd", 0.1, "x", "it failed")


def test_a_setting_cannot_take_the_place_of_a_result(tmp_path: Path) -> None:
    hostile = {"name": "x", "status": "y", "path": "z", "epoch": 7}
    records.write(tmp_path, records.record({"lr": 0.1} | hostile, 0.8) | {"name": "mine"})
    (run,) = study.load(tmp_path).to_dict("records")
    assert (run["name"], run["status"], run["epoch"]) == ("mine", "completed", 2)
    assert Path(run["path"]).is_dir()


def test_a_setting_that_shares_its_name_is_a_column_of_its_own(tmp_path: Path) -> None:
    for samples, score in ((1, 0.7), (10, 0.8), (100, 0.9)):
        settings_of = {"samples": samples, "val/acc": samples}
        records.write(tmp_path / str(samples), records.record(settings_of, score))
    runs = study.load(tmp_path)
    plan = design(runs)
    assert runs.sort_values("val/acc")["val/acc (setting)"].tolist() == [1, 10, 100]
    assert {*plan.scientific, *plan.nuisance} == {"samples (setting)", "val/acc (setting)"}
    assert design(runs, ("samples",)).scientific == ("samples (setting)",)


def test_hostile_names_and_values_survive(tmp_path: Path) -> None:
    made = records.record({"optimizer": records.HOSTILE, "tag": records.HOSTILE}) | {"name": records.HOSTILE}
    records.write(tmp_path, made)
    runs = study.load(tmp_path)
    assert set(runs[["name", "optimizer", "tag"]].to_numpy().ravel()) == {records.HOSTILE}
    assert set(study.histories(tmp_path)["name"]) == {records.HOSTILE}
    runs.to_csv(tmp_path / "results.csv", index=False)
    assert pd.read_csv(tmp_path / "results.csv").loc[0, "name"] == records.HOSTILE


def test_histories_have_a_row_for_each_epoch_with_metrics_by_their_names(tmp_path: Path) -> None:
    folder = records.write(tmp_path, records.record({"lr": 0.1}, 0.9, epochs=2, score=records.F1))
    records.write(tmp_path, records.record({"lr": 0.2}, status="failed"))
    curves = study.histories(tmp_path)
    metrics = [f"{split}/{name}" for name in ("loss", "f1") for split in ("val", "train", "test")]
    assert [*curves.columns] == ["name", "path", "epoch", "lr", "seconds", *metrics]
    assert curves["epoch"].tolist() == [0, 1, 2]
    assert curves["train/f1"].isna().tolist() == [True, False, False]
    assert curves["val/f1"].tolist()[-1] == 0.9
    assert set(curves["path"]) == {str(folder)}


def test_a_metric_keeps_its_name_and_says_whether_it_is_a_share(tmp_path: Path) -> None:
    for score in (records.ACCURACY, records.LOSS, Score("val_auc")):
        records.write(tmp_path, records.record({"lr": 0.1}, 0.5, score=score))
    runs = study.load(tmp_path)
    assert runs[["metric", "mode", "share"]].to_numpy().tolist() == [
        ["val/acc", "max", True],
        ["val/loss", "min", False],
        ["val_auc", "max", False],
    ]
    assert runs["val_auc"].dropna().tolist() == runs["train_auc"].dropna().tolist() == [0.5]
    assert runs["checked"].tolist() == [True] * 3


def test_a_run_without_a_metric_on_foreign_data_is_a_row(tmp_path: Path) -> None:
    made = records.record({"lr": 0.1}, score=Score(None, None)) | {"data": None, "checkpoint": None}
    records.write(tmp_path, made)
    (run,) = study.load(tmp_path).to_dict("records")
    assert (run["status"], run["metric"], run["mode"], run["share"]) == ("completed", None, None, False)
    assert pd.isna([run["epoch"], run["val samples"]]).all()
    assert "val/loss" in study.histories(tmp_path)


def test_only_the_settings_that_repeat_others_are_left_out(tmp_path: Path) -> None:
    config = {"lr": 0.1, "task": {"hidden": 32, "net": {"width": 8}, "lr": 0.1}, "data": {"val": 0.2}}
    assert dict(settings(config, ["task.net", "task.lr"])) == {"lr": 0.1, "task.hidden": 32, "data.val": 0.2}
    made = records.record({"task.hidden": 32, "task.net.width": 8}) | {"interpolated": ["task.net"]}
    records.write(tmp_path, made)
    (run,) = study.load(tmp_path).to_dict("records")
    assert run["task.hidden"] == 32
    assert "task.net.width" not in run


def test_a_setting_of_foreign_data_is_not_taken_for_its_size(tmp_path: Path) -> None:
    records.write(tmp_path, records.record({"data.val": 0.2}) | {"data": None})
    assert study.load(tmp_path)["data.val"].tolist() == [0.2]


def test_there_are_no_curves_where_nothing_was_trained(tmp_path: Path) -> None:
    records.write(tmp_path, records.record({}, status="failed"))
    assert study.histories(tmp_path).empty
    assert study.histories(tmp_path)["lr"].dtype == "float64"


WHOLE: dict[str, Any] = json.loads(json.dumps(records.record({"lr": 0.1})))
UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "half-written": (json.dumps(WHOLE)[:400], "Invalid JSON: EOF"),
    "empty": ("", "Invalid JSON: EOF"),
    "no text": (b"\xff\xfe\x00", "Invalid JSON"),
    "no object": ("[1, 2]", "should be an object"),
    "of another program": ('{"run": 1}', "schema: Field required"),
    "of another version": (json.dumps(WHOLE | {"schema": 1}), "schema: Input should be 2"),
    "of another program with our version": ('{"schema": 2}', "name: Field required"),
    "with an unknown status": (json.dumps(WHOLE | {"status": "fine"}), "status: String should match"),
    "with text for numbers": (json.dumps(WHOLE | {"seconds": "ten"}), "seconds: Input should be"),
    "with a damaged history": (json.dumps(WHOLE | {"history": [{"val/acc": 1}]}), "history.0.epoch: Field"),
}


@pytest.mark.parametrize(("content", "reason"), UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_cannot_be_read_is_listed_and_costs_no_other_run(
    content: str | bytes, reason: str, tmp_path: Path
) -> None:
    records.write(tmp_path / "good", WHOLE)
    (tmp_path / "bad").mkdir()
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "bad" / RECORD_FILE).write_bytes(data)
    (listed,) = study.unreadable(tmp_path).to_dict("records")
    assert listed["path"] == str(tmp_path / "bad")
    assert reason in listed["reason"]
    assert len(study.load(tmp_path)) == 1
    assert len(study.histories(tmp_path)["path"].unique()) == 1


def test_a_record_that_the_disk_refuses_is_listed(tmp_path: Path) -> None:
    (tmp_path / "folder" / RECORD_FILE).mkdir(parents=True)
    assert study.unreadable(tmp_path)["reason"].tolist() == [os.strerror(21)]
    assert study.load(tmp_path).empty


def test_nothing_is_listed_where_all_is_well(tmp_path: Path) -> None:
    records.write(tmp_path, WHOLE)
    assert study.unreadable(tmp_path).empty


@pytest.mark.parametrize("door", [study.load, study.histories, study.unreadable])
def test_a_missing_folder_is_named(door: Any, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no such folder"):
        door(tmp_path / "nope")
