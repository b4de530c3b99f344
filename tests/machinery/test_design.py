"""What a study asks, what it tunes, and what it repeats."""

from pathlib import Path
from typing import Any

import pytest

import records
from overnight import study
from overnight.study.design import Design, design

FOUND: dict[str, tuple[dict[str, Any], Design]] = {
    "a group and numbers": (records.OPTIMIZERS, Design(("optimizer",), ("lr",), ("seed",), records.ACCURACY)),
    "lr alone": ({"lr": [0.1, 1]}, Design(("lr",), (), (), records.ACCURACY)),
    "a number and lr": (
        {"dropout": [0.0, 0.5], "lr": [0.1, 1]},
        Design(("dropout",), ("lr",), (), records.ACCURACY),
    ),
    "a switch": (
        {"optimizer.nesterov": [True, False], "lr": [1, 2]},
        Design(("optimizer.nesterov",), ("lr",), (), records.ACCURACY),
    ),
    "folds": (
        {"model": ["a", "b"], "data.fold": [0, 1]},
        Design(("model",), (), ("data.fold",), records.ACCURACY),
    ),
    "repeated folds": (
        {"data.fold": [0, 1], "seed": [0, 1]},
        Design((), (), ("seed", "data.fold"), records.ACCURACY),
    ),
    "cosmetics": (
        {"init": ["a", "b"], "task_name": ["x", "y"], "logger": ["c", "d"]},
        Design(("init",), (), (), records.ACCURACY),
    ),
    "a prepared study": ({"experiment": ["a", "b"]}, Design(("experiment",), (), (), records.ACCURACY)),
    "two prepared studies": (
        {"experiment": ["a", "b"], "init": ["c", "d"]},
        Design(("init",), (), (), records.ACCURACY),
    ),
}


@pytest.mark.parametrize(("values", "expected"), FOUND.values(), ids=FOUND.keys())
def test_the_design_is_found_where_none_is_declared(values: dict[str, Any], expected: Design) -> None:
    tried = records.grid(values)
    assert design(records.runs(tried, [0.8] * len(tried))) == expected


def test_what_the_study_declares_is_asked_and_all_else_that_varies_is_tuned(tmp_path: Path) -> None:
    declared = {"study.scientific": ["lr"], "study.nuisance": ["momentum"]}
    for setting in records.grid({"optimizer": ["sgd", "adam"], "lr": [0.1, 1.0], "seed": [0, 1]}):
        written = records.record(setting)
        written["config"] |= records.nested(declared)
        records.write(tmp_path, written)
    runs = study.load(tmp_path)
    assert design(runs) == Design(("lr",), ("optimizer",), ("seed",), records.ACCURACY)
    assert design(runs, ("optimizer", "lr")) == Design(("optimizer", "lr"), (), ("seed",), records.ACCURACY)


@pytest.mark.parametrize("empty", ["[]", "[ ]", None, ""])
def test_an_empty_declaration_declares_nothing(empty: str | None) -> None:
    runs = records.tuned()
    expected = design(runs)
    runs["study.scientific"] = empty
    assert design(runs) == expected


def test_the_declaration_counts_where_only_some_runs_have_one() -> None:
    runs = records.tuned()
    runs["study.scientific"] = ["[]"] + ["[lr]"] * (len(runs) - 1)
    assert design(runs).scientific == ("lr",)


def test_a_question_about_no_setting_is_refused() -> None:
    with pytest.raises(ValueError, match=r"optimiser is no setting.* Needed: one of.*: lr, optimizer"):
        design(records.tuned(), ("optimiser",))


def test_runs_of_studies_with_different_questions_are_refused() -> None:
    runs = records.tuned()
    runs["study.scientific"] = ["[lr]", "[optimizer]"] * (len(runs) // 2)
    with pytest.raises(ValueError, match=r"different questions: \[lr\], \[optimizer\]"):
        design(runs)


def test_a_wrong_value_does_not_make_a_number_a_question() -> None:
    tried = [{"optimizer": o, "lr": lr} for o in ("sgd", "adam") for lr in (0.1, 0.2)]
    tried.append({"optimizer": "sgd", "lr": "abc", "status": "failed"})
    assert design(records.runs(tried, [0.8] * 5)).scientific == ("optimizer",)
