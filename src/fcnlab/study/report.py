"""The report of a study: a folder with a page, its figures, and its tables for papers and notebooks."""

import logging
import warnings
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import pandas as pd

from fcnlab.atomic import replacing
from fcnlab.study import latex, page
from fcnlab.study.close_up import Examiner, examined
from fcnlab.study.evidence import Evidence, gather
from fcnlab.study.figures.style import STYLE
from fcnlab.study.gallery import Picture, pictures
from fcnlab.study.tables import problems, results

FOLDER = "report"
FORMATS = ("png", "pdf")
logging.getLogger("fontTools").setLevel(logging.WARNING)  # at INFO it tells of every table of every font


def write(
    directories: Sequence[Path],
    examiner: Examiner,
    scientific: tuple[str, ...] = (),
    output: Path | None = None,
) -> str:
    """Compute and write everything; return what the study says, and where the page is.

    Beside the page, ``index.html``: ``report.md``, ``tables.tex``, ``results.csv``, and in ``figures`` each
    figure as PNG and as PDF.

    Args:
        directories: of the sweeps.
        examiner: looks into runs anew, for what their records do not say.
        scientific: the question, if it is not what the study declares.
        output: the folder; by default ``report`` in the first directory.

    Raises:
        FileNotFoundError: there is no record.
        ValueError: the records do not belong to one question.
        OSError: the folder cannot be written.
    """
    evidence = gather(directories, scientific)
    folder = output or directories[0] / FOLDER
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    for stale in (folder / "figures").glob("*.p[nd][gf]"):
        stale.unlink()
    with mpl.rc_context(STYLE):
        extra, notes = examined(evidence, examiner)
        drawn = [*pictures(evidence), *extra]
        for picture in drawn:
            save(picture, folder / "figures")
    tables = results(evidence)
    shown = page.context(evidence, drawn, [*tables, *problems(evidence)], notes, folder)
    put(folder / "report.md", page.markdown(shown))
    put(folder / "tables.tex", latex.document(tables))
    put(folder / "results.csv", everything(evidence).to_csv(index=False))
    put(folder / "index.html", page.html(shown))
    return f"{page.plain(shown)}\n\n{folder / 'index.html'}\n"


def save(picture: Picture, folder: Path) -> None:
    """Save a figure for the screen and for print.

    A character that the font lacks is drawn as a box; the tables have it.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for suffix in FORMATS:
            picture.figure.savefig(folder / f"{picture.name}.{suffix}")


def everything(evidence: Evidence) -> pd.DataFrame:
    """Return all runs, those that confirm others too."""
    parts = [part for part in (evidence.runs, evidence.confirming) if len(part)]
    return pd.concat(parts, ignore_index=True)


def put(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    with replacing(path) as file:
        file.write(text.encode())
