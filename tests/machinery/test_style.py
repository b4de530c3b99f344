"""What all figures share: colours, the order of values, the part of an axis that is shown, labels."""

import numpy as np
import pandas as pd
import pytest

import records
from overnight.study.figures.style import DISTINCT, OTHERS, brief, colours, in_order, window
from overnight.study.score import Score


def test_an_option_has_one_colour_and_numbers_have_a_scale() -> None:
    assert colours(["sgd", "adam", "sgd"]) == {"adam": DISTINCT[0], "sgd": DISTINCT[1]}
    scale = list(colours([0.5, 0.0, 0.1]).values())
    lightness = [sum(colour[:3]) for colour in scale]
    assert list(colours([0.5, 0.0, 0.1])) == ["0", "0.1", "0.5"]
    assert lightness == sorted(lightness)
    assert len(set(colours([f"option {i}" for i in range(10)]).values())) == 10


def test_values_are_ordered_as_a_person_would() -> None:
    assert in_order(["b", 10, 9.0, "a", 9, None, 0.5]) == [0.5, 9.0, 10, None, "a", "b"]


SHOWN: dict[str, tuple[Score, list[float], float, float]] = {
    "close": (records.ACCURACY, [0.8, 0.9], 0.8, 0.9),
    "far apart": (records.ACCURACY, [0.1, 0.9], 0.75, 0.9),
    "one": (records.ACCURACY, [0.9], 0.9, 0.9),
    "missing": (records.ACCURACY, [0.9, np.nan], 0.9, 0.9),
    "lower is better": (records.LOSS, [0.3, 0.4, 0.5, 2.3], 0.3, 0.6),
    "one is very bad": (records.R2, [-900.0, 0.5, 0.7, 0.8], 0.4, 0.8),
    "negative": (records.R2, [-3.0, -2.0], -3.0, -2.0),
}


@pytest.mark.parametrize(("score", "values", "low", "high"), SHOWN.values(), ids=SHOWN.keys())
def test_an_axis_shows_the_good_results_and_a_little_beyond(
    score: Score, values: list[float], low: float, high: float
) -> None:
    shown = window(pd.Series(values), score)
    margin = 0.06 * (high - low) or 0.02
    assert low - margin < shown.low < low
    assert high < shown.high < high + margin
    assert shown.misses(pd.Series(values)).tolist() == [v < low or v > high for v in values]


def test_labels_keep_both_ends_of_a_long_name_and_three_digits_of_a_number() -> None:
    assert brief("a" * 30 + "b" * 30, 11) == "aaaaa…bbbbb"
    assert brief(0.110470121637) == "0.11"
    assert brief("short") == "short"


def test_beyond_ten_names_the_others_share_a_grey() -> None:
    looks = list(colours([f"option {i:02}" for i in range(12)]).values())
    assert looks[10:] == [OTHERS] * 2
    assert OTHERS not in looks[:10]
