"""The best run, class by class: which classes it takes for which, and its surest errors."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from overnight.records.sampling import half_interval
from overnight.study.figures.cells import draw
from overnight.study.figures.style import NEUTRAL, new, panels

SHOWN = 24


def confusion(predictions: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Draw how many in a hundred samples of each true class are taken for which; errors only are coloured.

    Args:
        predictions: ``label prediction``, a row for each sample.
        classes: their names, in order.
    """
    table = pd.crosstab(predictions["label"], predictions["prediction"], normalize="index") * 100
    table = table.reindex(index=range(len(classes)), columns=range(len(classes)), fill_value=0.0)
    named = table.set_axis(list(classes), axis=0).set_axis(list(classes), axis=1)
    errors = named.mask(np.eye(len(classes), dtype=bool), 0.0)
    texts = named.map(lambda share: f"{share:.1f}" if share else "")
    figure = new(6.5, 4.6)
    axes = figure.subplots()
    draw(axes, errors, texts, (0.0, max(float(errors.to_numpy().max()), 1.0)))
    axes.tick_params(axis="x", rotation=40)
    for label in axes.get_xticklabels():
        label.set(horizontalalignment="right", rotation_mode="anchor")
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    return figure


def by_class(predictions: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Draw the share of right answers by class, the worst on top, with 95 % intervals for the samples.

    Args:
        predictions: ``label prediction``, a row for each sample.
        classes: their names, in order.
    """
    right = (predictions["label"] == predictions["prediction"]).groupby(predictions["label"])
    table = pd.DataFrame({"share": right.mean(), "samples": right.size()})
    ranked = table.sort_values("share", ascending=False)
    half = half_interval(ranked["share"], ranked["samples"])
    figure = new(6.5, 3.0)
    axes = figure.subplots()
    names = [classes[int(label)] for label in ranked.index]
    axes.errorbar(ranked["share"], range(len(names)), xerr=half, fmt="o", color=NEUTRAL, markersize=5)
    for position, share in enumerate(ranked["share"]):
        axes.text(share, position + 0.18, f"{share:.3f}", fontsize=7, ha="center", va="bottom")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlim(right=min(axes.get_xlim()[1], 1.005))
    axes.margins(y=0.08)
    axes.set_xlabel("share of the test samples of the class that are right")
    return figure


def errors(wrong: pd.DataFrame, images: np.ndarray, classes: Sequence[str]) -> Figure:
    """Draw the errors of which the run was surest.

    Args:
        wrong: ``label prediction probability`` of the images, the surest first.
        images: of the same length: [n, height, width], brightness.
        classes: their names, in order.
    """
    count = min(SHOWN, len(wrong))
    figure, axes = panels(count, 6, 1.08, 1.35)
    for panel, image, row in zip(axes, images, wrong.to_dict("records"), strict=False):
        panel.imshow(image, cmap="gray_r")
        panel.set_axis_off()
        text = f"{classes[row['label']]}\n→ {classes[row['prediction']]} {row['probability']:.2f}"
        panel.set_title(text, fontsize=6.5, loc="center")
    return figure
