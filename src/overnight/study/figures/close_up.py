"""What no record says: how the best run errs on the test samples, and signals before training."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from overnight.records.sampling import half_interval
from overnight.study.figures.cells import draw
from overnight.study.figures.style import ACCENT, NEUTRAL, Colours, handle, marked, panels

SHOWN = 24
MOST_OPAQUE = 500  # samples: of more, the dots are faint
QUANTITIES = {
    "activation": "std of the layer's output",
    "gradient": "std of the gradient of its weights",
}


def confusion(predictions: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Draw how many in a hundred samples of each true class are taken for which; errors only are coloured.

    Args:
        predictions: ``label prediction``, a row for each sample.
        classes: their names, in order.
    """
    table = pd.crosstab(predictions["label"], predictions["prediction"], normalize="index") * 100
    numbers, names = range(len(classes)), list(classes)
    table = (
        table.reindex(index=numbers, columns=numbers, fill_value=0.0).set_axis(names).set_axis(names, axis=1)
    )
    errors = table.mask(np.eye(len(classes), dtype=bool), 0.0)
    texts = table.map(lambda share: f"{share:.1f}" if share else "")
    figure, (axes,) = panels(1, 1, 6.5, 4.6)
    draw(axes, errors, texts, (0.0, max(float(errors.to_numpy().max()), 1.0)))
    axes.tick_params(axis="x", rotation=40)
    for label in axes.get_xticklabels():
        label.set(horizontalalignment="right", rotation_mode="anchor")
    axes.set(xlabel="predicted class", ylabel="true class")
    return figure


def by_class(predictions: pd.DataFrame, classes: Sequence[str]) -> Figure:
    """Draw the share of right answers by class, the worst on top, with 95 % intervals for the samples.

    Args:
        predictions: ``label prediction``, a row for each sample.
        classes: their names, in order.
    """
    right = (predictions["label"] == predictions["prediction"]).groupby(predictions["label"])
    ranked = right.agg(["mean", "size"]).sort_values("mean", ascending=False)
    half = half_interval(ranked["mean"], ranked["size"])
    figure, (axes,) = panels(1, 1, 6.5, 3.0)
    places = range(len(ranked))
    axes.errorbar(ranked["mean"], places, xerr=half, fmt="o", color=NEUTRAL, markersize=5)
    for position, share in enumerate(ranked["mean"]):
        axes.text(share, position + 0.18, f"{share:.3f}", fontsize=7, ha="center", va="bottom")
    axes.set_yticks(places, [classes[int(label)] for label in ranked.index])
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
    figure, axes = panels(min(SHOWN, len(wrong)), 6, 1.08, 1.35)
    for panel, image, row in zip(axes, images, wrong.to_dict("records"), strict=False):
        panel.imshow(image, cmap="gray_r")
        panel.set_axis_off()
        text = f"{classes[row['label']]}\n→ {classes[row['prediction']]} {row['probability']:.2f}"
        panel.set_title(text, fontsize=6.5, loc="center")
    return figure


def learned(pairs: np.ndarray) -> Figure:
    """Draw images of training, each as it is and, beside it, as the net is given it.

    Args:
        pairs: [n, 2, height, width], brightness.
    """
    figure, axes = panels(min(SHOWN, len(pairs)), 6, 1.08, 0.7)
    for panel, pair in zip(axes, pairs, strict=False):
        apart = np.pad(pair, ((0, 0), (0, 0), (1, 1)), constant_values=np.nan)
        panel.imshow(np.pad(np.hstack([*apart]), ((0, 0), (3, 3)), constant_values=np.nan), cmap="gray_r")
        panel.set_axis_off()
    return figure


def residuals(targets: np.ndarray, outputs: np.ndarray) -> Figure:
    """Draw predicted against true numbers, and residuals against predicted ones.

    Args:
        targets: the true numbers [n].
        outputs: the predicted ones [n].
    """
    figure, (left, right) = panels(2, 2, 3.25, 3.0)
    faint = min(1.0, max(0.1, MOST_OPAQUE / len(targets)))
    looks: Any = {"color": NEUTRAL, "markersize": 3, "rasterized": True, "alpha": faint}
    left.plot(targets, outputs, ".", **looks)
    left.axline((float(targets.mean()), float(targets.mean())), slope=1, color=ACCENT, linewidth=1)
    left.set(xlabel="true", ylabel="predicted")
    right.plot(outputs, targets - outputs, ".", **looks)
    right.axhline(0, color=ACCENT, linewidth=1)
    right.set(xlabel="predicted", ylabel="true - predicted")
    return figure


def signals(table: pd.DataFrame, hues: Colours, title: str) -> Figure:
    """Draw the standard deviation of activations and of gradients, layer by layer, on logarithmic axes.

    Exact zeros cannot be drawn on these; the legend names them.

    Args:
        table: ``hue layer activation gradient``, means over the seeds; layers count from 1, the input's.
        hues: a colour for each hue.
        title: of the legend: the hyperparameter that the hues are of.
    """
    figure, axes = panels(2, 2, 3.25, 3.0)
    for (quantity, label), panel in zip(QUANTITIES.items(), axes, strict=True):
        for text, colour, marker in marked(hues):
            rows = table[(table["hue"] == text) & (table[quantity] > 0)]
            panel.plot(rows["layer"], rows[quantity], color=colour, marker=marker, markersize=4)
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("")
        panel.set(xlabel="dense layer", ylabel=label, xticks=sorted(table["layer"].unique()))
    zero = set(table.loc[table["gradient"] == 0, "hue"])
    entries = [
        handle(text + " (zero)" * (text in zero), color=colour, marker=marker, markersize=4)
        for text, colour, marker in marked(hues)
    ]
    figure.legend(handles=entries, title=title, loc="outside right upper")
    return figure
