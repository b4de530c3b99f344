"""The size of activations and gradients, layer by layer, before training."""

import pandas as pd
from matplotlib.figure import Figure

from overnight.study.figures import style

QUANTITIES = {
    "activation": "std of the layer's output",
    "gradient": "std of the gradient of its weights",
}


def signals(table: pd.DataFrame, hues: style.Colours, title: str) -> Figure:
    """Draw the standard deviation of activations and of gradients, layer by layer, on logarithmic axes.

    Exact zeros cannot be drawn on these; the legend names them.

    Args:
        table: ``hue layer activation gradient``, means over the seeds; layers count from 1, the input's.
        hues: a colour for each hue.
        title: of the legend: the hyperparameter that the hues are of.
    """
    figure, axes = style.panels(2, 2, 3.25, 3.0)
    for (quantity, label), panel in zip(QUANTITIES.items(), axes, strict=True):
        for text, colour, marker in style.marked(hues):
            rows = table[(table["hue"] == text) & (table[quantity] > 0)]
            panel.plot(rows["layer"], rows[quantity], color=colour, marker=marker, markersize=4)
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("")
        panel.set(xlabel="dense layer", ylabel=label, xticks=sorted(table["layer"].unique()))
    zero = set(table.loc[table["gradient"] == 0, "hue"])
    entries = [
        style.handle(text + " (zero)" * (text in zero), color=colour, marker=marker, markersize=4)
        for text, colour, marker in style.marked(hues)
    ]
    figure.legend(handles=entries, title=title, loc="outside right upper")
    return figure
