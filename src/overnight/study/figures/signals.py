"""The size of activations and gradients, layer by layer, before training."""

import pandas as pd
from matplotlib.figure import Figure

from overnight.study.figures.style import MARKERS, Colours, handle, panels

QUANTITIES = {
    "activation": "std of the layer's output",
    "gradient": "std of the gradient of its weights",
}


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
        for (text, colour), marker in zip(hues.items(), MARKERS * len(hues), strict=False):
            rows = table[(table["hue"] == text) & (table[quantity] > 0)]
            panel.plot(rows["layer"], rows[quantity], color=colour, marker=marker, markersize=4)
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("")
        panel.set_xticks(sorted(table["layer"].unique()))
        panel.set_xlabel("dense layer")
        panel.set_ylabel(label)
    zero = set(table.loc[table["gradient"] == 0, "hue"])
    entries = [
        handle(f"{text} (zero)" if text in zero else text, color=colour, marker=marker, markersize=4)
        for (text, colour), marker in zip(hues.items(), MARKERS * len(hues), strict=False)
    ]
    figure.legend(handles=entries, title=title, loc="outside right upper")
    return figure
