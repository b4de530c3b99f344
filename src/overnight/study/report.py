"""The report of a study: a folder with a page, its figures, and its tables for papers and notebooks."""

import logging
import shlex
import warnings
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from overnight.records.atomic import replacing
from overnight.study import latex, page
from overnight.study.evidence import Evidence, gather
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
    figure as PNG and as PDF.

    Args:
        directories: of the sweeps.
        examiner: looks into runs anew, for what their records do not say.
        scientific: the question, if it is not what the study declares.
        output: the folder; by default ``report`` in the first directory.

    Raises:
        FileNotFoundError: there is no record.
        ValueError: the records do not belong to one question; or the folder cannot be written, or holds
            something that is no report.
    """
    evidence = gather(directories, scientific)
    folder = output or directories[0] / FOLDER
    refuse_strangers(folder)
    with mpl.rc_context(STYLE):
        extra, missing = examined(evidence, examiner)
        drawn = [*pictures(evidence), *extra]
        try:
            save(drawn, folder / "figures")
            return written(evidence, drawn, missing, folder)
        except OSError as error:
            raise ValueError(
                f"{folder} cannot be written: {error.strerror}. Needed: a folder with room that you may "
                f"write to. Type for example: --output=FOLDER"
            ) from error


def written(evidence: Evidence, drawn: Sequence[Picture], missing: Sequence[str], folder: Path) -> str:
    """Write all but the figures; return what the study says, and where the page is."""
    tables = results(evidence)
    shown = page.context(evidence, drawn, [*tables, *problems(evidence)], missing, folder)
    texts = {
        "report.md": page.rendered("report.md", shown),
        "tables.tex": latex.document(tables),
        "results.csv": evidence.everything.to_csv(index=False),
        PAGE: page.rendered(PAGE, shown),
    }
    for name, text in texts.items():
        with replacing(folder / name) as file:
            file.write(text.encode())
    return f"{page.plain(shown)}\n\n{shlex.quote(str(folder / PAGE))}\n"


def refuse_strangers(folder: Path) -> None:
    """See to it that nobody else's files are overwritten: the folder is new, or has an earlier report.

    Raises:
        ValueError: it has something else.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / PAGE).is_file() or MARK not in (folder / PAGE).read_text(encoding="utf-8"):
        raise ValueError(
            f"{folder} holds something that is no report. Needed: a new or an empty folder. "
            f"Type for example: {shlex.quote(f'--output={folder}/report')}"
        )


def save(drawn: Sequence[Picture], folder: Path) -> None:
    """Save figures for the screen and for print, in place of those of an earlier report.

    A character that the font lacks is drawn as a box; the tables have it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for stale in folder.glob("*"):
        if stale.suffix in FORMATS:
            stale.unlink()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        for picture in drawn:
            for suffix in FORMATS:
                picture.figure.savefig(folder / f"{picture.name}{suffix}")
