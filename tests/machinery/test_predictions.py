"""What a run predicts and begins with, as a reader sees it."""

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

from drawings import lay_out, texts
from overnight.study.figures import predictions
from overnight.study.figures.style import STYLE, colours


def test_a_regression_has_a_dot_for_each_sample() -> None:
    targets = np.linspace(-1, 1, 50)
    figure = predictions.residuals(targets, targets + 0.1)
    above, left = (np.asarray(panel.lines[0].get_ydata()) for panel in figure.axes)
    assert np.allclose(above, targets + 0.1)
    assert np.allclose(left, -0.1)
    lay_out(figure)


def test_classes_are_named_and_shares_sum_to_a_hundred() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    codes = {"label": labels, "prediction": np.where(rng.random(300) < 0.8, labels, 0)}
    names = ("shirt & $tie$", "coat", "bag")
    table = pd.DataFrame({key: pd.Categorical.from_codes(codes[key], pd.Index(names)) for key in codes})
    figure = predictions.confusion(table)
    shares = [float(text) for text in texts(figure) if text.replace(".", "").isdigit()]
    assert sum(shares) == pytest.approx(300, abs=0.5)
    assert set(names) <= set(texts(figure))
    lay_out(figure)
    by_class = predictions.by_class(table)
    right = (codes["label"] == codes["prediction"]).astype(float)
    worst = np.argmin([right[labels == label].mean() for label in range(3)])
    label = f"{names[worst]} (n={(labels == worst).sum()})"
    assert by_class.axes[0].get_yticklabels()[-1].get_text() == label
    wrong = table[table["label"] != table["prediction"]].assign(probability=0.9)
    shown = predictions.errors(wrong.head(20), np.zeros((300, 28, 28)))
    assert len(shown.axes) == 24  # in rows of six
    lay_out(shown)


def test_a_class_without_test_samples_is_a_row_without_numbers() -> None:
    codes = pd.Categorical.from_codes([0, 0, 1], pd.Index(["shirt", "coat", "bag"]))
    figure = predictions.confusion(pd.DataFrame({"label": codes, "prediction": codes}))
    assert {"shirt", "coat", "bag"} <= set(texts(figure))
    assert texts(figure).count("100.0") == 2
    lay_out(figure)
    (axes,) = predictions.by_class(pd.DataFrame({"label": codes, "prediction": codes})).axes
    assert len(axes.get_yticks()) == 2


def test_a_signal_that_is_zero_is_named_since_it_cannot_be_drawn() -> None:
    rows = [("zeros", 1, 0.0, 0.0), ("zeros", 2, 0.0, 0.0), ("normal", 1, 1.0, 0.1), ("normal", 2, 9.0, 0.2)]
    table = pd.DataFrame(rows, columns=["hue", "layer", "activation", "gradient"])
    with mpl.rc_context(STYLE):
        figure = predictions.signals(table, colours(table["hue"]), "init")
    lay_out(figure)
    assert {"zeros (zero)", "normal", "1", "0.1"} <= set(texts(figure))
    assert not any("math" in text for text in texts(figure))
