"""Data of one's own, trained end to end: tables and arrays, classes and numbers."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from commands import Command, every
from experiments import Compose
from known_tables import QUICK, QUIET, REGRESSION
from overnight.config import schema
from overnight.config.errors import ConfigError
from overnight.data import tables
from overnight.records.identity import fingerprint
from overnight.records.record import Record, find_runs, read_record
from overnight.training.fit import train

Train = Callable[..., Record]


@pytest.fixture
def trained(compose: Compose, tmp_path: Path) -> Train:
    """Give overrides, train; get what a record says of the fit."""

    def run(*overrides: str) -> Record:
        config = compose(*QUICK, *QUIET, *overrides)
        schema.check(config)
        return train(config, tmp_path, {}, [], None)

    return run


def test_classes_of_a_table_are_learned(votes: list[str], trained: Train) -> None:
    record = trained(*votes)
    assert record["status"] == "completed"
    assert record["checked"] is True
    assert record["best"]["val/acc"] > 0.85
    assert record["best"]["test/acc"] > 0.85  # 0.58 voted for Clinton


def test_layers_in_a_list_ask_the_data_for_their_sizes(
    votes: list[str], trained: Train, tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    dense = "{_target_: torch.nn.Linear, in_features: '${of_data:in_features}', out_features: 2}"
    (tmp_path / "model" / "mine.yaml").write_text(f"_target_: torch.nn.Sequential\n_args_: [{dense}]\n")
    record = trained(*votes, f"hydra.searchpath=[file://{tmp_path}]", "model=mine")
    assert record["checked"] is True
    assert record["model"] == {"class": "torch.nn.modules.container.Sequential", "parameters": 34}


def test_numbers_of_a_table_are_learned(meals: list[str], trained: Train) -> None:
    record = trained(*meals)
    assert record["checked"] is True
    best = record["best"]
    assert best["val/r2"] > 0.6  # a straight line explains 0.83 of the variance of all
    assert 20 < best["val/mae"] <= best["val/rmse"] < 200  # in the units of the target, whose mean is 624
    assert best["val/loss"] < 0.5  # of standardized numbers


@pytest.mark.parametrize("shape", every(2, [(-1, 1), (-1,)]))
def test_the_metrics_of_a_regression_are_those_of_their_definitions(
    shape: tuple[int, ...], trained: Train, tmp_path: Path, command: Command
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    np.savez(tmp_path / "mine.npz", features=x, targets=(2000 + 10 * x[:, 0]).reshape(shape))
    arrays = ["data=arrays", f"data.path={tmp_path / 'mine.npz'}", *REGRESSION]
    best = trained(*arrays)["best"]
    measured = command("eval.py", "ckpt_path=checkpoints/best.ckpt", "predictions=predicted.csv")
    assert (measured.status, measured.stderr) == (0, "")
    table = pd.read_csv(tmp_path / "predicted.csv")
    assert [*table.columns] == ["index", "target", "prediction"]
    assert table["target"].tolist() == pytest.approx((2000 + 10 * x[table["index"], 0]).tolist())
    errors = table["target"] - table["prediction"]
    spread = ((table["target"] - table["target"].mean()) ** 2).sum()
    assert best["test/mae"] == pytest.approx(errors.abs().mean(), rel=1e-3)
    assert best["test/rmse"] == pytest.approx((errors**2).mean() ** 0.5, rel=1e-3)
    assert best["test/r2"] == pytest.approx(1 - (errors**2).sum() / spread, abs=1e-3)


def test_several_numbers_are_learned_at_a_time(trained: Train, tmp_path: Path, command: Command) -> None:
    x = np.random.default_rng(0).normal(size=(80, 3))
    np.savez(tmp_path / "mine.npz", features=x, targets=x[:, :2] * [1, 1000])
    best = trained("data=arrays", f"data.path={tmp_path / 'mine.npz'}", *REGRESSION)["best"]
    assert best["val/r2"] > 0.5
    asked = ["ckpt_path=checkpoints/best.ckpt", "predictions=predicted.csv"]
    assert command("eval.py", *asked).status == 0
    table = pd.read_csv(tmp_path / "predicted.csv")
    assert table["target_2"].tolist() == pytest.approx((1000 * x[table["index"], 1]).tolist())
    errors = table[["prediction_1", "prediction_2"]].to_numpy() - table[["target_1", "target_2"]].to_numpy()
    assert best["test/mae"] == pytest.approx(np.abs(errors).mean(), rel=1e-3)


def test_predictions_are_written_over_nothing_else(
    meals: list[str], trained: Train, tmp_path: Path, command: Command
) -> None:
    trained(*meals)
    best, last = (f"checkpoints/{name}.ckpt" for name in ("best", "last"))
    (tmp_path / "thesis.tex").write_text("mine")
    for path in (best, "thesis.tex"):
        before = (tmp_path / path).read_bytes()
        refused = command("eval.py", f"ckpt_path={best}", f"predictions={path}")
        assert (refused.status, refused.stdout) == (1, "")
        assert "there is something that is no file of predictions" in refused.stderr
        assert (tmp_path / path).read_bytes() == before
    again = command("eval.py", "-m", f"ckpt_path={best},{last}", "predictions=mine.csv")
    assert again.status == 1
    assert "it has the predictions of another checkpoint of this command" in again.stderr
    each = command("eval.py", "-m", f"ckpt_path={best},{last}", "predictions=mine-${hydra:job.num}.csv")
    assert each.status == 0
    assert (tmp_path / "mine-0.csv").is_file()
    assert (tmp_path / "mine-1.csv").is_file()


def test_predictions_have_the_rows_and_the_classes_of_the_table(
    votes: list[str], trained: Train, tmp_path: Path, command: Command
) -> None:
    best = trained(*votes)["best"]
    path = tmp_path / "moved.csv"
    path.write_text(Path(votes[1].removeprefix("data.path=")).read_text())
    asked = ["ckpt_path=checkpoints/best.ckpt", "predictions=predicted.csv", f"data_root={path}"]
    assert command("eval.py", *asked).status == 0
    predicted, table = pd.read_csv(tmp_path / "predicted.csv"), pd.read_csv(path)
    assert predicted["target"].tolist() == table["vote"][predicted["index"]].tolist()
    assert (predicted["target"] == predicted["prediction"]).mean() == pytest.approx(
        best["test/acc"], abs=1e-6
    )
    assert (predicted["p_Clinton"] + predicted["p_Dole"]).tolist() == pytest.approx(
        [1] * len(predicted), abs=1e-4
    )
    table.assign(educ=0).to_csv(path, index=False)
    changed = command("eval.py", *asked)
    assert changed.status == 1
    assert "the data has changed since this checkpoint was trained" in changed.stderr


def test_another_content_is_another_run_and_another_place_is_not(compose: Compose, tmp_path: Path) -> None:
    def known_as(folder: str, text: str) -> str:
        path = tmp_path / folder / "t.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return fingerprint(compose("data=table", f"data.path={path}", "data.target=y"))

    assert known_as("a", "x,y\n1,2\n") == known_as("b", "x,y\n1,2\n")
    assert known_as("a", "x,y\n1,3\n") != known_as("b", "x,y\n1,2\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("chosen", "better"), [("metric=val/r2 mode=max", max), ("metric=val/mae mode=min", min)]
)
def test_a_search_follows_the_metric(
    chosen: str, better: Callable[..., Any], meals: list[str], command: Command, tmp_path: Path
) -> None:
    searched = [
        "hparams_search=random",
        "hydra.sweeper.n_trials=3",
        "task_name=search",
        "trainer.max_epochs=1",
    ]
    result = command("train.py", *meals, "trainer=cpu", *chosen.split(), *searched)
    assert result.status == 0
    found = [read_record(path) for path in find_runs(tmp_path / "outputs" / "sweeps" / "search")]
    metric = chosen.split(maxsplit=1)[0].partition("=")[2]
    best = better([record for record in found if record], key=lambda record: record["best"][metric])
    assert len(found) == 3
    assert f"best by {metric}: {best['name']}, test/" in result.stdout


def test_a_run_says_what_the_target_was_taken_for(votes: list[str], command: Command) -> None:
    tables.tell.cache_clear()
    logging.getLogger().setLevel(logging.WARNING)  # as in a fresh process
    told = command("train.py", *votes, *QUICK, *QUIET, "trainer.max_epochs=1").stdout
    assert "votes.csv: 944 rows, columns of numbers: 9, of categories: 1" in told
    assert "the target vote is 2 classes (Clinton, Dole)\n" in told


WRONG = {
    "no target": (["data.target=votes"], "Did you mean vote?"),
    "no such file": (["data.path=absent.csv"], "there is no such file. Needed: a file with data"),
    "a loss for classes": (
        ["metrics=regression"],
        "that loss is for classes. Needed: one for numbers. Type: loss=mse",
    ),
    "smoothed numbers": (
        [*REGRESSION, "label_smoothing=0.1"],
        "numbers have no labels. Needed: label_smoothing=0",
    ),
    "augmented rows": (["augmentation=flip"], "a table has no images"),
    "classes as numbers": ([*REGRESSION], "holds texts such as 'Dole', and a regression learns numbers"),
    "validation of nothing": (
        ["data.val_size=0"],
        "data.val_size=0: needed: a whole number of samples, 1 or more, or a",
    ),
    "validation of all": (["data.val_size=5000"], "data.val_size=5000: needed: fewer than the 755"),
}


@pytest.mark.parametrize("name", every(3, WRONG))
def test_what_is_wrong_is_refused_before_the_folder_is_touched(
    name: str, votes: list[str], command: Command, tmp_path: Path
) -> None:
    wrong, message = WRONG[name]
    kept = [each for each in votes if each.partition("=")[0] not in {one.partition("=")[0] for one in wrong}]
    result = command("train.py", *kept, *wrong, "trainer=cpu", "task_name=mine")
    assert result.status == 1
    assert message in result.stderr
    assert result.stderr.count("\n") <= 1
    assert not (tmp_path / "outputs" / "runs" / "mine").exists()


def test_numbers_are_not_mixed(compose: Compose) -> None:
    with pytest.raises(ConfigError, match="augmentation=mixup with metrics=regression: it mixes labels"):
        schema.check(compose("data=synthetic", *REGRESSION, "augmentation=mixup"))


def test_images_of_classes_are_no_numbers(compose: Compose, tmp_path: Path) -> None:
    config = compose("data=synthetic", *REGRESSION)
    with pytest.raises(
        ConfigError, match="Synthetic does not tell target_mean, only in_features, out_features"
    ):
        train(config, tmp_path, {}, [], None)
