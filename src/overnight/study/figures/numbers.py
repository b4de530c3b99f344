"""The best run of a regression: predicted against true numbers, and what is left between them."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from overnight.study.figures.style import ACCENT, NEUTRAL, panels

MOST_OPAQUE = 500  # samples: of more, the dots are faint


def residuals(targets: np.ndarray, outputs: np.ndarray) -> Figure:
    """Draw predicted against true numbers, and residuals against predicted ones.

    Args:
        targets: the true numbers [n].
        outputs: the predicted ones [n].
    """
    figure, (left, right) = panels(2, 2, 3.25, 3.0)
    looks: dict[str, Any] = {
        "color": NEUTRAL,
        "markersize": 3,
        "rasterized": True,
        "alpha": min(1.0, max(0.1, MOST_OPAQUE / len(targets))),
    }
    left.plot(targets, outputs, ".", **looks)
    left.axline((float(targets.mean()), float(targets.mean())), slope=1, color=ACCENT, linewidth=1)
    left.set_xlabel("true")
    left.set_ylabel("predicted")
    right.plot(outputs, targets - outputs, ".", **looks)
    right.axhline(0, color=ACCENT, linewidth=1)
    right.set_xlabel("predicted")
    right.set_ylabel("true - predicted")
    return figure
