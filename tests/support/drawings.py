"""Figures as tests look at them."""

import matplotlib as mpl
from matplotlib.figure import Figure

from overnight.study.figures.style import STYLE


def texts(figure: Figure) -> list[str]:
    """Return all texts in a figure, those of the axes and legends too."""
    return [text.get_text() for text in figure.findobj(mpl.text.Text)]


def lay_out(figure: Figure) -> None:
    """Do all of drawing but the pixels, which take most of the time; a warning on the way fails the test."""
    with mpl.rc_context(STYLE):
        figure.draw_without_rendering()
