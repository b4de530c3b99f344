"""A report's text: one page for the browser, and the same as Markdown."""

import base64
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from overnight.config.commands import alone, command, tensorboard_command
from overnight.config.packages import eval_command
from overnight.study.design import legible, rounded
from overnight.study.evidence import Evidence
from overnight.study.figures.style import Picture
from overnight.study.score import Score
from overnight.study.tables import Table
from overnight.study.words import paragraphs

FIRST = ["name", "overrides", "status", "error", "path"]
"""What a reader looks for first in all that is known of a run; then its results."""

MOST_COMMANDS = 5  # a study that was made piece by piece; results.csv has the command of every run

Context = dict[str, Any]

TEMPLATES = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=jinja2.select_autoescape(["html"]),
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def context(
    evidence: Evidence,
    drawn: Sequence[Picture],
    tables: Sequence[Table],
    missing: Sequence[str],
    folder: Path,
) -> Context:
    """Return what the templates need.

    ``drawn`` are saved as ``figures/NAME.png`` in the report's folder; ``missing`` says what could not be.
    """
    names = ", ".join(map(str, evidence.directories))
    return {
        "title": question(evidence.runs) or f"Results of {names}",
        "where": names,
        "paragraphs": paragraphs(evidence),
        "tables": tables,
        "pictures": drawn,
        "figures": folder / "figures",
        "missing": missing,
        "commands": commands(evidence),
        "board": board(evidence),
        "settings": settings(evidence.runs, evidence.plan.score),
    }


def rendered(template: str, shown: Context) -> str:
    """Return the page (``index.html``), all included; or, without the runs and figures, ``report.md``."""
    return TEMPLATES.get_template(template).render(shown)


def plain(shown: Context) -> str:
    """Return the sentences alone, for a terminal."""
    parts = (f"{title}: {' '.join(sentences)}" for title, sentences in shown["paragraphs"].items())
    return "\n".join([*parts, *shown["missing"]])


def unmarked(text: Any) -> str:
    """Let no character mean anything to Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|~$])", r"\\\1", " ".join(str(text).split()))


def encoded(file: Path) -> str:
    """Return a file as text that a page can hold."""
    return base64.b64encode(file.read_bytes()).decode()


TEMPLATES.filters |= {"markdown": unmarked, "base64": encoded}


def question(runs: pd.DataFrame) -> str:
    """Return what the study says that it asks; "" if it says nothing, or several things."""
    asked = set(runs["study.question"].dropna()) if "study.question" in runs else set()
    return asked.pop() if len(asked) == 1 else ""


def commands(evidence: Evidence) -> list[tuple[str, str]]:
    """Return what to type to have all this again, to train the winner, and to look at it."""
    typed = evidence.runs["command"].dropna().unique()
    told = [("This study, or what is missing of it", str(text)) for text in typed[:MOST_COMMANDS]]
    for best in evidence.winners.head(1).to_dict("records"):
        told += [("The winner alone", alone(best["overrides"]))]
        if pd.notna(best["checkpoint"]):
            measure = eval_command(best["path"], best["checkpoint"])
            told += [("Its best weights, measured", measure)]
    if evidence.confirming.empty and len(evidence.winners) and len(evidence.arms) > 1:
        sweep = f"study.confirms={evidence.directories[0]}"
        told += [("The winners again, with fresh seeds", command("train.py", "experiment=confirm", sweep))]
    shown = (typed for directory in evidence.directories for typed in tensorboard_command(directory))
    return told + [("All curves", text) for text in shown]


def board(evidence: Evidence) -> pd.DataFrame:
    """Return all runs as text, the best first: their settings that differ, and their results on validation.

    The index is the run's place in ``evidence.runs``. The result on the test set takes no part in a choice,
    so it is no column to sort by; the run's own page and results.csv have it.
    """
    score, runs = evidence.plan.score, evidence.labelled.reset_index(drop=True)
    measured = [result for result in ("score", "train") if runs[result].notna().any()]
    columns = {score.on(key): runs[key].map(score.written, na_action="ignore") for key in measured}
    columns |= {"seconds": runs["seconds"].map("{:.1f}".format, na_action="ignore")}
    columns |= {key: runs[key] for key in [*["epoch"] * bool(measured), "status"]}
    table = runs[[*evidence.varied, *evidence.plan.replicates]].assign(**columns)
    return table.map(rounded).loc[score.ranked(runs).index]


def settings(runs: pd.DataFrame, score: Score) -> Context:
    """Return all that is known of every run: under ``same`` what all share, under ``own`` a dict for each."""
    results = [name for name in map(score.on, ("score", "test", "train")) if name in runs]
    typed = runs.assign(overrides=runs["overrides"].map(shlex.join))
    texts = typed[list(dict.fromkeys([*FIRST, *results, *typed]))].map(legible)
    differs = (texts != texts.iloc[0]).any()
    same = texts.loc[:, ~differs].iloc[0].to_dict()
    return {"same": same, "own": texts.loc[:, differs].to_dict("records")}
