"""The report of a study: a folder with a page, its figures, and its tables for papers and notebooks."""

import logging
import shlex
import warnings
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import matplotlib as mpl

from overnight.records.atomic import replacing
from overnight.study import latex, page
from overnight.study.evidence import gather, merged
from overnight.study.figures import pictures
from overnight.study.figures.close_up import Examiner, examined
from overnight.study.figures.style import STYLE, Picture
from overnight.study.tables import problems, results

FOLDER, PAGE = "report", "index.html"
MARK = '<meta name="generator" content="overnight">'
FORMATS = (".png", ".pdf")
logging.getLogger("fontTools").setLevel(logging.WARNING)  # at INFO it tells of every table of every font


def write(
    directories: Sequence[Path],
    examiner: Examiner,
    scientific: tuple[str, ...] = (),
    output: Path | None = None,
) -> str:
    """Compute and write everything; return what the study says, and where the page is.

    Beside the page, ``index.html``: ``report.md``, ``tables.tex``, ``results.csv``, and in ``figures`` each
    figure as PNG and as PDF. All go to ``output``, or else to ``report`` in the first directory.

    Raises:
        FileNotFoundError: there is no record.
        ValueError: see ``gather``; or the folder cannot be written, or holds something that is no report.
    """
    evidence = gather(directories, scientific)
    folder = output or directories[0] / FOLDER
    refuse_strangers(folder)
    tables = results(evidence)
    with mpl.rc_context(STYLE):
        extra, missing = examined(evidence, examiner)
        drawn = [*pictures(evidence), *extra]
        try:
            save(drawn, folder / "figures")
            shown = page.context(evidence, drawn, [*tables, *problems(evidence)], missing, folder)
            texts = {
                "report.md": page.rendered("report.md", shown),
                "tables.tex": latex.document(tables),
                "results.csv": merged([evidence.runs, evidence.confirming]).to_csv(index=False),
                PAGE: page.rendered(PAGE, shown),
            }
            for name, text in texts.items():
                with replacing(folder / name) as file:
                    file.write(text.encode())
        except OSError as error:
            raise ValueError(
                f"{folder} cannot be written: {error.strerror}. Needed: a folder with room that you may "
                f"write to. Type for example: --output=FOLDER"
            ) from error
    return f"{page.plain(shown)}\n\n{shlex.quote(str(folder / PAGE))}\n"


def refuse_strangers(folder: Path) -> None:
    """Raise a ValueError if the folder holds anything but an earlier report, which may be overwritten."""
    is_report = (folder / PAGE).is_file() and MARK in (folder / PAGE).read_text(encoding="utf-8")
    if folder.exists() and not is_report and (folder.is_file() or any(folder.iterdir())):
        raise ValueError(
            f"{folder} holds something that is no report. Needed: a new or an empty folder. "
            f"Type for example: {shlex.quote(f'--output={folder}/report')}"
        )


def save(drawn: Sequence[Picture], folder: Path) -> None:
    """Save figures for the screen and for print, in place of those of an earlier report.

    A character that the font lacks is drawn as a box; the tables have it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in (path for path in folder.iterdir() if path.suffix in FORMATS):
        stale.unlink()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for picture, suffix in product(drawn, FORMATS):
            picture.figure.savefig(folder / f"{picture.name}{suffix}")
