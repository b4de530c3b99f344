"""The sentences of a report are computed: known studies, known sentences."""

import shutil
from pathlib import Path

import pytest

import records
from overnight.records import sweep_state
from overnight.study.evidence import gather
from overnight.study.score import Score, score_of
from overnight.study.tables import problems, results
from overnight.study.verdict import legible_p
from overnight.study.words import duration
from sentences import STUDY, said, written


def test_the_answer_says_what_is_best_how_sure_and_what_is_not_significant(tmp_path: Path) -> None:
    told = said(written(tmp_path, STUDY))
    assert told["Answer"].startswith("Best by val/acc: optimizer=adam with lr=0.1, val/acc 0.900")
    assert "over 4 seeds" in told["Answer"]
    assert "On the test set, test/acc is 0.900" in told["Answer"]
    assert "The sampling error of 10,000 samples alone is ± 0.0059 (95 %)." in told["Answer"]
    assert "Significantly better than optimizer=sgd (by 0.0" in told["How sure"]
    assert "Not significantly better than optimizer=rmsprop (by 0.00" in told["How sure"]
    assert "Holm's correction for 3 comparisons" in told["How sure"]
    assert (
        "the best of 3 settings of lr was chosen by the mean val/acc over the seeds"
        in told["How it was chosen"]
    )
    assert told["What it cost"] == "36 runs in 9 settings, 72 epochs, 12 min of training."
    assert told["What failed"] == "Nothing: all of 36 runs completed."
    assert "Cautions" not in told


@pytest.mark.parametrize("score", [records.F1, records.LOSS, records.R2], ids=lambda score: score.metric)
def test_the_answer_and_the_tables_name_the_metric_and_claim_nothing_of_shares(
    score: Score, tmp_path: Path
) -> None:
    evidence = written(tmp_path, STUDY, score)
    told, test = said(evidence), score.on("test")
    assert told["Answer"].startswith(f"Best by {score.label}: optimizer=adam with lr=0.1, {score.metric} ")
    assert f"On the test set, {test} is " in told["Answer"]
    assert "Significantly better than optimizer=sgd (by 0.0" in told["How sure"]
    assert "sampling" not in " ".join(told.values())
    assert "acc" not in " ".join(told.values()).replace("accept", "")
    central, differences, _ = (table.cells for table in results(evidence))
    assert {score.metric, test, score.on("train")} <= {*central.columns}
    assert central["optimizer"].tolist() == ["adam", "rmsprop", "sgd"]
    assert differences["difference"].str.startswith("-").all() == (score.sign < 0)


def test_the_table_does_not_name_a_model_whose_sizes_vary(tmp_path: Path) -> None:
    columns = [
        {*results(written(tmp_path / key, STUDY | {key: ["[8]", "[9]"]}))[0].cells.columns}
        for key in ("init", "model.hidden_sizes")
    ]
    assert [{"model", "optimizer"} & each for each in columns] == [{"model", "optimizer"}, {"optimizer"}]


def test_what_was_not_measured_is_not_spoken_of(tmp_path: Path) -> None:
    for setting in records.grid({"optimizer": ["sgd", "adam"], "seed": [0, 1]}):
        made = records.record(setting, 0.8 + 0.01 * setting["seed"]) | {"data": None}
        made["best"] = {"epoch": 2, "val/acc": made["best"]["val/acc"]}
        records.write(tmp_path, made)
    evidence = gather([tmp_path])
    told = " ".join(said(evidence).values())
    assert "test" not in told.replace("tested", "").lower()
    assert "sampling" not in told
    assert {"val/acc", "optimizer"} <= {*results(evidence)[0].cells.columns}
    assert not {"test/acc", "train/acc", ""} & {*results(evidence)[0].cells.columns}


def test_a_study_without_a_metric_says_so_and_what_to_type(tmp_path: Path) -> None:
    for setting in records.grid(STUDY):
        records.write(tmp_path, records.record(setting, score=Score(None, None)))
    evidence = gather([tmp_path])
    told = said(evidence)
    assert "no metric to be compared by" in told["Answer"]
    assert "They logged val/loss, train/loss, test/loss." in told["Answer"]
    assert "Type for example: python train.py metric=val/loss mode=min" in told["Answer"]
    assert told["What failed"] == "Nothing: all of 36 runs completed."
    assert {"central", "budgets"} == {table.name for table in results(evidence)}


def test_with_one_seed_nothing_is_called_significant(tmp_path: Path) -> None:
    told = said(written(tmp_path, STUDY | {"seed": [0]}))
    assert "(one run)" in told["Answer"]
    assert "ignificantly" not in told["How sure"]
    assert "A test needs two or more seeds." in told["How sure"]
    assert "With one seed it is unknown how much the results vary by chance." in told["Cautions"]


def test_folds_are_called_folds_and_their_score_a_cv_score(tmp_path: Path) -> None:
    evidence = written(tmp_path, {"optimizer": ["sgd", "adam"], "lr": [0.1], "data.fold": [0, 1, 2, 3, 4]})
    assert "over 5 folds" in said(evidence)["Answer"]
    central = results(evidence)[0].cells
    assert "CV score (val/acc)" in central
    assert central["n"].tolist() == ["5", "5"]


def test_many_arms_are_named_by_what_sets_them_apart_from_the_best(tmp_path: Path) -> None:
    evidence = written(tmp_path, STUDY | {"init": ["a", "b"], "lr": [0.1]})
    best = evidence.arms["arm"].iloc[0]
    other = {"init=a": "init=b", "init=b": "init=a"}[best.split(", ")[0 if best.startswith("init") else 1]]
    assert f"{other} (by" in said(evidence)["How sure"]


def test_what_failed_is_counted_where_it_failed_and_listed_run_by_run(tmp_path: Path) -> None:
    for lr in (10.0, 100.0):
        records.write(tmp_path, records.record({"optimizer": "sgd", "lr": lr, "seed": 0}, None, "diverged"))
    records.write(tmp_path, records.record({"optimizer": "adam", "lr": 0.1, "seed": 9}, None, "failed"))
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text('{"schema": 2, "name": "to')
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign" / "run.json").write_text('{"hello": "world"}')
    evidence = written(tmp_path, STUDY)
    told = said(evidence)["What failed"]
    assert "2 of 39 runs diverged (optimizer=sgd: 2 of 14)." in told
    assert "1 of 39 runs failed (optimizer=adam: 1 of 13)." in told
    assert "2 records cannot be read; see below." in told
    lost, broken = problems(evidence)
    assert lost.cells["status"].tolist() == ["diverged", "diverged", "failed"]
    assert set(lost.cells["reason"]) == {"it diverged", "it failed"}
    assert sorted(Path(path).name for path in broken.cells["path"]) == ["foreign", "torn"]


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_study_of_which_nothing_completed_says_so(status: str, tmp_path: Path) -> None:
    for setting in records.grid(STUDY):
        records.write(tmp_path, records.record(setting, None, status))
    told = said(gather([tmp_path]))
    assert told["Answer"] == "No run completed, so there is no answer."
    assert f"36 of 36 runs {status}" in told["What failed"]


def test_a_guessed_question_is_called_a_guess(tmp_path: Path) -> None:
    guessed = said(written(tmp_path / "a", STUDY))["How it was chosen"]
    declared = said(written(tmp_path / "b", STUDY, **{"study.scientific": ["optimizer"]}))[
        "How it was chosen"
    ]
    assert "The study declares no question, so the report compares optimizer" in guessed
    assert "question" not in declared


def test_a_question_about_what_does_not_vary_is_refused(tmp_path: Path) -> None:
    written(tmp_path, {"optimizer": ["adam", "sgd"], "lr": [0.1]})
    with pytest.raises(ValueError, match=r"lr is 0.1 in all of these runs. Needed: one of.*: optimizer"):
        gather([tmp_path], ("lr",))


def test_runs_on_different_samples_are_a_caution(tmp_path: Path) -> None:
    evidence = written(tmp_path, STUDY | {"data.folds": [1, 5]})
    assert (
        "These runs have different data.folds (1, 5), so they were scored on different samples"
        in said(evidence)["Cautions"]
    )


def test_a_folder_that_is_given_twice_or_copied_counts_once(tmp_path: Path) -> None:
    alone = written(tmp_path, STUDY)
    sweep_state.begin(tmp_path, len(alone.runs), "python train.py -m lr=0.1")
    for name in alone.runs["name"]:
        sweep_state.note_end(tmp_path, name, new=True)
    shutil.copytree(tmp_path, copies := tmp_path.with_name(f"{tmp_path.name}-copied"))
    twice = gather([tmp_path, tmp_path, copies])
    assert twice.runs.equals(alone.runs)
    assert twice.histories.equals(alone.histories)
    assert twice.unfinished == gather([copies, tmp_path]).unfinished == []


@pytest.mark.parametrize(
    ("total", "met", "missing"), [(8, 3, "5 are missing"), (4, 3, "1 is missing"), (3, 3, ""), (None, 1, "")]
)
def test_a_report_of_a_part_of_a_sweep_says_how_many_runs_are_missing(
    total: int | None, met: int, missing: str, tmp_path: Path
) -> None:
    sweep_state.begin(tmp_path, total, "python train.py -m lr=0.1")
    evidence = written(tmp_path, {"optimizer": ["adam"], "lr": [0.1], "seed": range(met + 1)})
    for name in evidence.runs["name"][:met]:  # the last record is of an earlier sweep
        sweep_state.note_end(tmp_path, name, new=True)
    told = said(evidence)
    assert (f"of {total} planned runs, {missing}" in told.get("Cautions", "")) == bool(missing)
    assert told["What failed"].startswith("Nothing so far: " if missing else "Nothing: ")


def test_few_arms_are_compared_in_pairs_and_many_with_the_best(tmp_path: Path) -> None:
    few = written(tmp_path / "few", STUDY | {"lr": [0.1]})
    many = written(tmp_path / "many", STUDY | {"lr": [0.1], "init": ["a", "b"]})
    tables = [{table.name: table.cells for table in results(evidence)} for evidence in (few, many)]
    best = ", ".join(many.arms[list(many.plan.scientific)].iloc[0])
    assert [len(table["differences"]) for table in tables] == [3, 5]
    assert tables[1]["differences"]["arm"].unique().tolist() == [best]


@pytest.mark.parametrize(
    ("seconds", "text"), [(59, "59 s"), (61, "1 min"), (7199, "120 min"), (9000, "2.5 h")]
)
def test_durations_are_written_as_a_person_would(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(("p", "text"), [(0.0412, "0.041"), (0.00004, "4e-05"), (float("nan"), "")])
def test_p_values_are_written_with_three_decimals(p: float, text: str) -> None:
    assert legible_p(p) == text


@pytest.mark.parametrize(
    ("best", "text"),
    [
        (0.9, "0.1235"),
        (0.05, "0.12346"),
        (23.0, "0.12"),
        (52341.0, "0"),
        (0.0, "0.1235"),
        (3e-9, "0.1235"),
        (3e25, "0.1235"),
    ],
)
def test_a_metric_has_as_many_decimals_as_its_best_value_is_worth(best: float, text: str) -> None:
    runs = records.runs([{"lr": 0.1}], [best], records.F1)
    assert score_of(runs).written(0.123456789) == text
