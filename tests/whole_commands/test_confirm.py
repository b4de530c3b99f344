"""The winners of a sweep, run again: the same configurations, other seeds, a sweep like any other."""

import json
from pathlib import Path
from typing import Any

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

import records
from commands import SHORT, Command, every
from overnight import study
from overnight.config.errors import ConfigError
from overnight.config.overrides import quote_value
from overnight.records import sweep_state
from overnight.records.identity import COSMETIC, fingerprint, without_keys
from overnight.records.record import Record, find_runs, read_record
from overnight.study.arms import arms
from overnight.study.design import design
from overnight.study.score import Score
from overnight.sweeps.confirm import chosen, fresh, seeded, unpruned

SWEEPS = Path("outputs") / "sweeps"
TINY = [*SHORT, "trainer.max_epochs=1", "logger=none", "callbacks=none", "task_name=first"]
SWEPT: dict[str, tuple[list[str], list[str]]] = {
    "an ad-hoc sweep": (["-m", "optimizer=sgd,adam", "lr=1e-3,1e-1"], ["optimizer"]),
    "lists, and a key that is added": (
        ["-m", "regularization=none,[dropout,batch_norm]", "+trainer.limit_train_batches=2"],
        ["regularization"],
    ),
    "a study that sets what it does not sweep": (
        ["experiment=momentum", "optimizer.momentum=0,0.9", "lr=0.1,0.01", "seed=0,1"],
        ["optimizer.momentum"],
    ),
    "a study over folds": (
        ["experiment=cross_validation", "regularization=none,dropout", "lr=0.001", "data.fold=0,1"],
        ["regularization"],
    ),
    "a search": (
        ["hparams_search=random", "hydra.sweeper.n_trials=2", "model.hidden_sizes=choice([8],[9])"],
        ["model.hidden_sizes", "optimizer"],
    ),
}


def confirm(command: Command, *typed: str, of: str = "first") -> Any:
    return command("train.py", "experiment=confirm", f"study.confirms={SWEEPS / of}", *typed)


def recorded(name: str) -> dict[str, Record]:
    """Return the records of a sweep by their folders; commands run in a folder of their own."""
    found = {path.name: read_record(path) for path in find_runs(SWEEPS / name)}
    return {path: record for path, record in found.items() if record}


def trained(config: dict[str, Any], *apart: str) -> dict[str, Any]:
    """Return what a run's result depends on, less what tells replicates apart."""
    return without_keys(config, (*COSMETIC, "seed", "data.seed", "task.seed", *apart))


@pytest.mark.parametrize("name", every(5, SWEPT))
def test_the_winners_are_run_again_with_their_configuration_and_other_seeds(
    name: str, command: Command
) -> None:
    typed, scientific = SWEPT[name]
    assert command("train.py", *TINY, *typed).status == 0
    result = confirm(command, "hydra.sweeper.seeds=1")
    assert result.status == 0, result.stderr
    runs = study.load(SWEEPS / "first")
    best = chosen(str(SWEEPS / "first"), [], None, 1).best
    again = recorded("first-confirm").values()
    assert len(again) == len(best)
    folds = () if runs["data.folds"].eq(1).all() else ("data.folds", "data.fold")
    expected = [trained(recorded("first")[Path(path).name]["config"], *folds) for path in best["path"]]
    for config in (record["config"] for record in again):
        assert trained(config, *folds) in expected
        assert config["seed"] not in set(runs["seed"])
        assert config["data"]["folds"] == 1
        assert config["study"]["confirms"] == str(SWEEPS / "first")
        assert sorted(config["study"]["scientific"]) == scientific


@pytest.mark.slow
def test_a_confirmation_has_one_setting_for_each_arm_with_all_seeds(command: Command) -> None:
    command("train.py", *TINY, *SWEPT["an ad-hoc sweep"][0])
    assert "best by val/acc" in confirm(command, "hydra.sweeper.seeds=3").stdout
    runs = study.load(SWEEPS / "first-confirm")
    assert sorted(runs["seed"].unique()) == [1, 2, 3]
    table = arms(runs, design(runs))
    assert table[["settings", "n"]].to_numpy().tolist() == [[1, 3], [1, 3]]
    plan = sweep_state.read(SWEEPS / "first-confirm")
    assert plan
    assert plan.total == 6


@pytest.mark.slow
def test_a_confirmation_goes_on_where_it_stopped_and_runs_nothing_twice(command: Command) -> None:
    command("train.py", *TINY, "-m", "optimizer=sgd,adam")
    confirm(command, "hydra.sweeper.seeds=2")
    paths = sorted((SWEEPS / "first-confirm").glob("*/run.json"))
    paths[0].unlink()
    kept = {path: path.stat().st_mtime_ns for path in paths[1:]}
    assert confirm(command, "hydra.sweeper.seeds=2").status == 0
    assert sorted((SWEEPS / "first-confirm").glob("*/run.json")) == paths
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.slow
def test_a_confirmation_can_be_confirmed(command: Command) -> None:
    command("train.py", *TINY, "-m", "optimizer=sgd,adam")
    confirm(command, "hydra.sweeper.seeds=2")
    assert confirm(command, "hydra.sweeper.seeds=1", of="first-confirm").status == 0
    again = recorded("first-confirm-confirm").values()
    assert {record["config"]["study"]["confirms"] for record in again} == {str(SWEEPS / "first-confirm")}
    assert {record["config"]["seed"] for record in again} == {0}


@pytest.mark.slow
def test_a_confirmation_can_be_spread_over_processes(command: Command) -> None:
    command("train.py", *TINY, "-m", "lr=0.1,0.01")
    spread = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "hydra.sweeper.seeds=1")
    assert confirm(command, *spread).status == 0
    assert [record["status"] for record in recorded("first-confirm").values()] == ["completed"] * 2


@pytest.mark.slow
def test_what_is_typed_wins_over_what_was_typed_for_the_winners(command: Command) -> None:
    command("train.py", *TINY, "-m", "optimizer=sgd,adam", "+trainer.limit_train_batches=1")
    typed = ("trainer.max_epochs=2", "+trainer.limit_train_batches=2", "task_name=mine", "tags=[again]")
    assert confirm(command, *typed, "hydra.sweeper.seeds=1", "hydra.sweeper.arms=1").status == 0
    (record,) = recorded("mine").values()
    trainer = record["config"]["trainer"]
    assert (trainer["max_epochs"], trainer["limit_train_batches"]) == (2, 2)
    assert record["config"]["tags"] == ["again"]


def test_what_means_something_else_by_now_is_refused(command: Command) -> None:
    command("train.py", *TINY, "-m", "optimizer=sgd,adam")
    for path in (SWEEPS / "first").glob("*/run.json"):
        record = json.loads(path.read_text())
        record["config"]["model"]["hidden_sizes"] = [512]
        record["fingerprint"] = fingerprint(record["config"])
        path.write_text(json.dumps(record))
    result = confirm(command)
    assert result.status == 1
    assert "model.hidden_sizes: recorded [512], now [256,128]. Needed: the files in conf/" in result.stderr
    assert recorded("first-confirm") == {}


WRONG = {
    "no sweep": ([], "study.confirms=null: needed: the folder of a sweep. Type for example: python train.py"),
    "nothing for a sweep": (["study.confirms="], "needed: the folder of a sweep"),
    "no such folder": (["study.confirms=outputs/nope"], "outputs/nope: there is no such folder"),
    "an empty folder": (["study.confirms=empty"], "study.confirms=empty: none of its 0 runs completed. "),
    "only failures": (["study.confirms=failed"], "study.confirms=failed: none of its 1 run completed. "),
    "no metric": (
        ["study.confirms=none"],
        "study.confirms=none: its runs have no metric that chooses winners. ",
    ),
    "no seeds": (["study.confirms=good", "hydra.sweeper.seeds=0"], "hydra.sweeper.seeds=0: needed: a whole"),
    "half an arm": (["study.confirms=good", "hydra.sweeper.arms=0.5"], "hydra.sweeper.arms=0.5: needed: a"),
    "a question about nothing": (["study.confirms=good", "study.scientific=[x]"], "x is no setting of these"),
}
TYPED_FOR_ALL = {
    "several values": (["study.confirms=good", "lr=0.1,0.2"], "lr=0.1,0.2: needed: one value for all"),
    "a seed": (["study.confirms=good", "seed=7"], "seed=7: needed: one value for all winners, none for seed"),
    "what tells the winners apart": (["study.confirms=good", "lr=0.3"], "what they differ in (lr). Type"),
    "a misspelt option": (["study.confirms=good", "optimizer=adm"], "Did you mean adam?"),
}


@pytest.mark.usefixtures("unread_data")
@pytest.mark.parametrize(("typed", "message"), (WRONG | TYPED_FOR_ALL).values(), ids=WRONG | TYPED_FOR_ALL)
def test_what_cannot_be_confirmed_is_refused_in_one_message(
    typed: list[str], message: str, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    records.write(tmp_path / "failed", records.record({"lr": 0.1}, status="failed"))
    for lr in (0.1, 0.2):
        records.write(tmp_path / "good", records.record({"lr": lr}))
        records.write(tmp_path / "none", records.record({"lr": lr}, score=Score(None, None)))
    result = command("train.py", "experiment=confirm", *typed)
    assert result.status == 1
    assert message in result.stderr
    assert result.stderr.count("Error") == 1
    assert "Traceback" not in result.stderr
    assert "full_key" not in result.stderr
    assert find_runs(tmp_path / "outputs") == []


def test_a_wrong_sweep_leaves_no_folder(command: Command, tmp_path: Path) -> None:
    assert command("train.py", "experiment=confirm", "study.confirms=nope").status == 1
    assert not (tmp_path / "outputs").exists()


def test_the_arms_come_in_their_order_each_with_the_setting_of_the_best_mean(tmp_path: Path) -> None:
    results = {("sgd", 0.1): (0.8, 0.9), ("sgd", 1.0): (0.91, 0.5), ("adam", 0.1): (0.9, 0.95)}
    for (optimizer, lr), values in results.items():
        for seed, reached in enumerate(values):
            setting = {"optimizer": optimizer, "lr": lr, "seed": seed}
            records.write(tmp_path, records.record(setting, reached))
    records.write(tmp_path, records.record({"optimizer": "rmsprop", "lr": 9.0, "seed": 0}, status="failed"))
    confirmation = chosen(str(tmp_path), [], None, 2)
    same = ["study.scientific=[optimizer]", "task_name='again'", "dropout=0.1"]
    assert seeded(confirmation, "again", ["experiment=confirm", "dropout=0.1"]) == [
        [f"optimizer={optimizer}", "lr=0.1", *same, f"seed={seed}"]
        for optimizer in ("adam", "sgd")
        for seed in (2, 3)
    ]
    assert chosen(str(tmp_path), [], 1, 1).best["optimizer"].tolist() == ["adam"]


def test_fresh_seeds_are_new_and_the_same_at_every_call() -> None:
    assert fresh([], 3) == fresh([7.0, 9.0], 3) == [0, 1, 2]
    assert fresh([0.0, 2.0, 2.0], 3) == [1, 3, 4]
    assert fresh([2**32 - 1], 1) == [0]


@pytest.mark.parametrize("text", ["plain", "a b", "it's", "''", "a=b,c", "${x}", '"'])
def test_a_quoted_text_is_read_back(text: str) -> None:
    (override,) = OverridesParser.create().parse_overrides([f"task_name={quote_value(text)}"])
    assert override.value() == text


def test_a_count_is_a_whole_number() -> None:
    with pytest.raises(ConfigError, match=r"hydra.sweeper.seeds=True: needed"):
        chosen("anywhere", [], None, True)  # noqa: FBT003


def test_what_is_confirmed_is_not_pruned() -> None:
    typed = {"pruning": "pruning=median", "callbacks.pruning.pruner.n_startup_trials": "x", "lr": "lr=1"}
    assert unpruned(typed) == {"lr": "lr=1"}
