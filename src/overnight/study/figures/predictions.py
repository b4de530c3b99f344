"""What a run predicts, learns from, and begins with, as figures."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from statsmodels.stats.proportion import proportion_confint

from overnight.study.figures import style
from overnight.study.figures.cells import draw
from overnight.study.figures.style import ACCENT, NEUTRAL, Colours, panels

SHOWN = 24  # images
MOST_OPAQUE = 500  # samples: of more, the dots are faint
QUANTITIES = {"activation": "std of the layer's output", "gradient": "std of the gradient of its weights"}


def confusion(answers: pd.DataFrame) -> Figure:
    """Draw how many in a hundred samples of each true class are taken for which; errors only are coloured.

    ``answers`` has a row for each sample: ``label prediction``, both categories.
    """
    table = pd.crosstab(answers["label"], answers["prediction"], normalize="index", dropna=False) * 100
    wrong = table.mask(np.eye(len(table), dtype=bool), 0.0)
    size = min(len(table), 10)
    figure, (axes,) = panels(1, 1, 2.5 + 0.4 * size, 1.2 + 0.34 * size)
    texts = table.map(lambda share: f"{share:.1f}" if share else "")
    draw(axes, wrong, texts, (0.0, max(wrong.to_numpy().max(), 1.0)))
    long = max(map(len, table.columns)) > 3  # noqa: PLR2004 - letters stand side by side
    for label in axes.get_xticklabels() if long else ():
        label.set(rotation=40, horizontalalignment="right", rotation_mode="anchor")
    axes.set(xlabel="predicted class", ylabel="true class")
    return figure


def by_class(answers: pd.DataFrame) -> Figure:
    """Draw the share of right answers by class, the worst on top, with Wilson's 95 % intervals.

    These are not symmetric: where all of nine samples are right, it reaches down to 0.70.
    """
    right = (answers["label"] == answers["prediction"]).groupby(answers["label"], observed=True)
    ranked = right.agg(["mean", "sum", "size"]).sort_values("mean", ascending=False)
    figure, (axes,) = panels(1, 1, 6.5, 0.8 + 0.22 * min(len(ranked), 10))
    low, high = proportion_confint(ranked["sum"], ranked["size"], method="wilson")
    places, shares = range(len(ranked)), ranked["mean"]
    axes.hlines(places, low, high, color=NEUTRAL)
    axes.plot(shares, places, "o", color=NEUTRAL, markersize=5)
    for position, share in enumerate(shares):
        above: Any = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center", "va": "bottom"}
        axes.annotate(f"{share:.3f}", (share, position), fontsize=7, **above)
    counted = zip(ranked.index, ranked["size"], strict=True)
    axes.set_yticks(places, [f"{name} (n={size})" for name, size in counted])
    axes.set_xlim(right=min(axes.get_xlim()[1], 1.005))
    axes.set_ylim(-0.5, len(ranked) - 0.2)
    axes.set_xlabel("share of the test samples of the class that are right")
    return figure


def errors(wrong: pd.DataFrame, images: np.ndarray) -> Figure:
    """Draw the images [n, height, width] of some of n answers, with these and their ``probability``."""
    figure, axes = panels(len(wrong), 6, 1.08, 1.35)
    for panel, image, row in zip(axes, images[wrong.index], wrong.to_dict("records"), strict=True):
        panel.imshow(image, cmap="gray_r")
        panel.set_axis_off()
        text = f"{row['label']}\n→ {row['prediction']} {row['probability']:.2f}"
        panel.set_title(text, fontsize=6.5, loc="center")
    return figure


def learned(pairs: np.ndarray) -> Figure:
    """Draw images of training [n, 2, height, width], each as it is and, beside it, as the net is given it."""
    figure, axes = panels(min(SHOWN, len(pairs)), 6, 1.08, 0.7)
    for panel, pair in zip(axes, pairs, strict=False):
        apart = np.pad(pair, ((0, 0), (0, 0), (1, 1)), constant_values=np.nan)
        panel.imshow(np.pad(np.hstack([*apart]), ((0, 0), (3, 3)), constant_values=np.nan), cmap="gray_r")
        panel.set_axis_off()
    return figure


def residuals(targets: np.ndarray, outputs: np.ndarray) -> Figure:
    """Draw predicted [n] against true numbers [n], and residuals against predicted ones."""
    figure, (left, right) = panels(2, 2, 3.25, 3.0)
    faint = min(1.0, max(0.1, MOST_OPAQUE / len(targets)))
    looks: Any = {"color": NEUTRAL, "markersize": 3, "rasterized": True, "alpha": faint}
    left.plot(targets, outputs, ".", **looks)
    left.axline((float(targets.mean()), float(targets.mean())), slope=1, color=ACCENT, linewidth=1)
    ends = style.widened(min(targets.min(), outputs.min()), max(targets.max(), outputs.max()))
    left.set(xlabel="true", ylabel="predicted", xlim=ends, ylim=ends)
    right.plot(outputs, targets - outputs, ".", **looks)
    right.axhline(0, color=ACCENT, linewidth=1)
    right.set(xlabel="predicted", ylabel="true - predicted")
    return figure


def signals(table: pd.DataFrame, hues: Colours, title: str) -> Figure:
    """Draw the standard deviation of activations and of gradients, layer by layer, on logarithmic axes.

    ``table`` has ``hue layer activation gradient``; layers count from 1, the input's. Exact zeros cannot be
    drawn on these axes; the legend names them.
    """
    figure, axes = panels(2, 2, 3.25, 3.0)
    for (quantity, label), panel in zip(QUANTITIES.items(), axes, strict=True):
        for text, looks in style.marked(hues).items():
            rows = table[(table["hue"] == text) & (table[quantity] > 0)]
            panel.plot(rows["layer"], rows[quantity], **looks)
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("")
        panel.set(xlabel="dense layer", ylabel=label, xticks=sorted(table["layer"].unique()))
    zero = set(table.loc[table["gradient"] == 0, "hue"])
    entries = {text + " (zero)" * (text in zero): looks for text, looks in style.marked(hues).items()}
    style.legend(figure, entries, title=title, **style.BESIDE)
    return figure
