"""A report's pictures of the best run are those that its predictions allow."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from overnight.runs import examine
from overnight.study.evidence import gather
from overnight.study.figures.close_up import examined
from small_studies import made

RIGHT, WRONG_ONCE = np.eye(10), np.eye(10)[[1, *range(1, 10)]]
SEEN: dict[str, tuple[examine.CloseUp, list[str]]] = {
    "errors among images": (
        examine.CloseUp(tuple("0123456789"), np.arange(10), WRONG_ONCE, np.zeros((10, 8, 8))),
        ["confusion", "by_class", "errors"],
    ),
    "no error": (
        examine.CloseUp(tuple("0123456789"), np.arange(10), RIGHT, np.zeros((10, 8, 8))),
        ["confusion", "by_class"],
    ),
    "no images": (
        examine.CloseUp(tuple("0123456789"), np.arange(10), WRONG_ONCE, None),
        ["confusion", "by_class"],
    ),
    "images that are altered": (
        examine.CloseUp((), np.linspace(-1, 1, 10), np.zeros(10), None, np.zeros((30, 2, 8, 6))),
        ["learned", "residuals"],
    ),
    "a regression": (examine.CloseUp((), np.linspace(-1, 1, 10), np.zeros(10), None), ["residuals"]),
}


@pytest.mark.parametrize(("seen", "names"), SEEN.values(), ids=SEEN.keys())
def test_the_best_run_has_the_pictures_that_its_predictions_allow(
    seen: examine.CloseUp, names: list[str], tmp_path: Path
) -> None:
    made(tmp_path)
    drawn, missing = examined(gather([tmp_path]), Examiner(seen))
    assert [picture.name for picture in drawn] == [*names, "signals"]
    assert missing == []


def test_predictions_of_another_kind_are_named_with_their_shapes(tmp_path: Path) -> None:
    made(tmp_path)
    several = examine.CloseUp((), np.zeros((10, 2)), np.zeros((10, 2)), None)
    drawn, missing = examined(gather([tmp_path]), Examiner(several))
    assert [picture.name for picture in drawn] == ["signals"]
    assert "outputs (10, 2) and targets (10, 2). Needed: probabilities" in missing[0]


class Examiner:
    """Looks into no checkpoint, but returns what it was given."""

    def __init__(self, seen: examine.CloseUp) -> None:
        self.seen = seen

    def close_up(self, checkpoint: Path) -> examine.CloseUp:
        return self.seen

    def permuted(self, checkpoints: Sequence[Path], metric: str, repeats: int) -> dict[str, list[float]]:
        assert {path.name for path in checkpoints} == {"best.ckpt"}
        return {}

    def signals(self, config: dict[str, Any]) -> list[dict[str, float]]:
        return [{"layer": 1, "activation": 1.0, "gradient": 1.0}]
