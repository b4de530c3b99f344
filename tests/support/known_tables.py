"""Two tables with classes and with numbers, and how they are trained on."""

import numpy as np
import pytest
from statsmodels import datasets

REGRESSION = ("loss=mse", "metrics=regression")
QUICK = ("trainer=cpu", "trainer.max_epochs=8", "data.batch_size=32", "lr=0.01")
QUIET = ("logger=none",)


@pytest.fixture(scope="session")
def votes(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the overrides of a table of 944 voters: for whom, by their opinions."""
    path = tmp_path_factory.mktemp("votes") / "votes.csv"
    frame = datasets.anes96.load_pandas().data
    frame.assign(vote=np.where(frame["vote"] > 0, "Dole", "Clinton")).to_csv(path, index=False)
    return ["data=table", f"data.path={path}", "data.target=vote", "data.categorical=[educ]"]


@pytest.fixture(scope="session")
def meals(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the overrides of a table of 235 households: what they spend on food, by income (Engel 1857)."""
    path = tmp_path_factory.mktemp("meals") / "meals.csv"
    datasets.engel.load_pandas().data.to_csv(path, index=False)
    return ["data=table", f"data.path={path}", "data.target=foodexp", *REGRESSION]
