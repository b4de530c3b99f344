"""A report from the command to its files: whole, self-contained, and safe from what stands in the records."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import records
from commands import ROOT, SHORT, Command
from overnight import study
from overnight.runs import examine
from overnight.study import latex, page
from overnight.study.evidence import gather
from overnight.study.figures.close_up import examined
from overnight.study.figures.style import STYLE
from overnight.study.report import write
from overnight.study.score import Score
from overnight.study.tables import Table

SWEEP = ("-m", *SHORT, "init=torch_default,zeros", "seed=0,1", "task_name=s")


@pytest.fixture(autouse=True)
def _coarse_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save few pixels, since these take most of the time and nobody looks at them here."""
    monkeypatch.setitem(STYLE, "savefig.dpi", 60)


VOID = {"meta", "img", "br"}
HOSTILE = r"<b>1</b>&\textbf{x}_%$#~^|é中"


class Page(HTMLParser):
    """A page read as a browser would: its elements closed in order, its texts, its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        self.open += [tag] * (tag not in VOID)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_a_sweep_becomes_a_report(command: Command, tmp_path: Path) -> None:
    assert command("train.py", *SWEEP).status == 0
    result = command("report.py", "outputs/sweeps/s")
    assert (result.status, result.stderr) == (0, "")
    assert "Best by val/acc: init=torch_default, val/acc " in result.stdout
    assert result.stdout.endswith("outputs/sweeps/s/report/index.html\n")
    folder = tmp_path / "outputs" / "sweeps" / "s" / "report"
    figures = {path.stem for path in (folder / "figures").glob("*.png")}
    assert figures == {path.stem for path in (folder / "figures").glob("*.pdf")}
    assert {
        "answer",
        "curves_val_acc",
        "curves_val_loss",
        "confusion",
        "by_class",
        "errors",
        "signals",
    } <= figures
    assert len(pd.read_csv(folder / "results.csv")) == 4
    shown = Page((folder / "index.html").read_text(encoding="utf-8"))
    assert shown.open == []
    assert shown.tags.count("img") == len(figures)
    assert {link[:5] for link in shown.links} <= {
        "data:",
        *(link[:5] for link in shown.links if link[0] == "#"),
    }
    assert "not drawn" not in "".join(shown.texts)
    assert not re.search(r"https?://", (folder / "index.html").read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_command_in_the_report_trains_the_winner_again(command: Command, tmp_path: Path) -> None:
    assert command("train.py", "-m", *SHORT, "lr=0.1,0.01", "task_name=s").status == 0
    assert command("report.py", "outputs/sweeps/s").status == 0
    text = (tmp_path / "outputs" / "sweeps" / "s" / "report" / "report.md").read_text(encoding="utf-8")
    typed = re.findall(r"The winner alone: `` python \S*train.py (.*) ``", text)[0].split()
    again = command("train.py", *typed, "hydra.run.dir=again")
    assert again.status == 0
    winner = re.findall(r"ckpt_path=(\S+)/checkpoints", text)[0]
    first, second = (
        pd.read_json(path / "run.json", typ="series")["best"]["val/acc"]
        for path in (tmp_path / "again", tmp_path / winner)
    )
    assert first == second


def made(folder: Path, **settings: Any) -> None:
    """Write a small study in which one option is hostile."""
    values: dict[str, Any] = {"init": [HOSTILE, "zeros"], "lr": [0.1, 0.2, 0.3], "seed": [0, 1]}
    tried = records.grid(values | settings)
    for place, setting in enumerate(tried):
        records.write(folder, records.record(setting, 0.8 + place / 1000))
    written = records.record({"init": HOSTILE, "lr": 0.4, "seed": 0}, None, "failed")
    written["error"] = {"type": "ValueError", "message": "</script><script>alert(1)</script>\nsecond line"}
    records.write(folder, written)


def test_nothing_in_a_record_becomes_markup(command: Command, tmp_path: Path) -> None:
    made(tmp_path / "s")
    result = command("report.py", "s")
    assert (result.status, result.stderr) == (0, "")
    shown = Page((tmp_path / "s" / "report" / "index.html").read_text(encoding="utf-8"))
    assert shown.open == []
    assert "b" not in shown.tags
    assert shown.tags.count("script") == 2
    assert HOSTILE in shown.texts
    assert "</script><script>alert(1)</script> second line" in shown.texts  # in the table of what failed
    markdown = (tmp_path / "s" / "report" / "report.md").read_text(encoding="utf-8")
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    columns = [len(re.findall(r"(?<!\\)\|", line)) for line in rows]
    assert len(set(columns[:4])) == 1
    assert "<b>" not in markdown
    assert "not drawn" in markdown  # made records have no checkpoints


def balanced(text: str) -> bool:
    """Tell whether the braces that are not escaped close each other."""
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text.replace(r"\\", "")):
        depth += {"{": 1, "}": -1}[brace]
        if depth < 0:
            return False
    return depth == 0


def test_tables_are_sound_latex() -> None:
    cells = pd.DataFrame({HOSTILE: [HOSTILE, "1 ± 2"], "b": ["x", "y"], "same": ["all", "all"]})
    text = latex.document([Table("t", "Title & more", "50 % of $x", cells, settings=("same",))])
    rows = re.findall(r"^(.*?) \\\\$", text, re.MULTILINE)
    assert [len(re.findall(r"(?<!\\)&", row)) for row in rows] == [1, 1, 1]
    assert balanced(text)
    assert r"\textless{}b\textgreater{}1" in text
    assert r"\texttt{U+4E2D}" in text
    assert "In all rows: same all." in text
    assert {r"\toprule", r"\midrule", r"\bottomrule"} <= set(re.findall(r"\\\w+rule", text))


def test_a_long_table_may_go_on_over_several_pages() -> None:
    cells = pd.DataFrame({"a": [str(i) for i in range(latex.LONGEST + 1)]})
    assert r"\begin{longtable}" in latex.document([Table("t", "T", "C", cells)])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_tables_compile_in_a_minimal_document(command: Command, tmp_path: Path) -> None:
    made(tmp_path / "s", seed=range(4), optimizer=["sgd", "adam", *(f"o{i}" for i in range(20))])
    assert command("report.py", "s").status == 0
    tables = (tmp_path / "s" / "report" / "tables.tex").read_text(encoding="utf-8")
    assert r"\begin{longtable}" in tables
    preamble = tables.partition("\n")[0].partition(": ")[2]
    body = rf"\documentclass{{article}}{preamble}\begin{{document}}{tables}\end{{document}}"
    (tmp_path / "paper.tex").write_text(body.replace("% In the preamble", "%"), encoding="utf-8")
    made_pdf = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert made_pdf.returncode == 0, made_pdf.stdout[-2000:]


WRONG = {
    "no such folder": (("nowhere",), "nowhere: there is no such folder. Needed: a run's or a sweep's"),
    "an empty folder": (("empty",), "empty: there is no record of a run here. Needed: the folder of a sweep"),
    "no sweep at all": (
        (),
        "Needed: a run's or a sweep's. Type for example: python report.py",
    ),
    "no such hyperparameter": (("s", "--scientific=optimiser"), "optimiser is no setting of these runs"),
}


@pytest.mark.parametrize(("arguments", "message"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_command_ends_in_one_message(
    arguments: tuple[str, ...], message: str, command: Command, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    made(tmp_path / "s")
    result = command("report.py", *arguments)
    assert result.status == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.slow
def test_a_question_can_be_asked_that_the_study_did_not_declare(command: Command, tmp_path: Path) -> None:
    made(tmp_path / "s")
    result = command("report.py", "s", "--scientific=lr", "--output=elsewhere")
    assert "Best by val/acc: lr=0.3" in result.stdout
    assert (tmp_path / "elsewhere" / "index.html").is_file()
    assert not (tmp_path / "s" / "report").exists()


@pytest.mark.slow
def test_a_second_report_leaves_no_figure_of_the_first(command: Command, tmp_path: Path) -> None:
    made(tmp_path / "s")
    assert command("report.py", "s").status == 0
    stale = tmp_path / "s" / "report" / "figures" / "response_lr.png"
    assert stale.is_file()
    made(tmp_path / "t", lr=[0.1])
    assert command("report.py", "t", "--output=s/report").status == 0
    assert not stale.exists()


def test_files_that_are_of_no_report_are_not_touched(command: Command, tmp_path: Path) -> None:
    made(tmp_path / "s")
    (tmp_path / "paper").mkdir()
    (tmp_path / "paper" / "report.md").write_text("mine")
    result = command("report.py", "s", "--output=paper")
    assert result.status == 1
    assert "paper holds something that is no report. Needed: a new or an empty folder" in result.stderr
    assert [path.name for path in (tmp_path / "paper").iterdir()] == ["report.md"]


def test_a_folder_that_cannot_be_written_is_named_with_a_remedy(command: Command, tmp_path: Path) -> None:
    made(tmp_path / "s")
    (tmp_path / "file").write_text("")
    result = command("report.py", "s", "--output=file/report")
    assert result.status == 1
    assert "Type for example: --output=FOLDER" in result.stderr


RIGHT, WRONG_ONCE = np.eye(10), np.eye(10)[[1, *range(1, 10)]]
SEEN: dict[str, tuple[examine.CloseUp, list[str]]] = {
    "errors among images": (
        examine.CloseUp(tuple("0123456789"), np.arange(10), WRONG_ONCE, np.zeros((10, 8, 8))),
        ["confusion", "by_class", "errors"],
    ),
    "no error": (
        examine.CloseUp(tuple("0123456789"), np.arange(10), RIGHT, np.zeros((10, 8, 8))),
        ["confusion", "by_class"],
    ),
    "no images": (
        examine.CloseUp(tuple("0123456789"), np.arange(10), WRONG_ONCE, None),
        ["confusion", "by_class"],
    ),
    "images that are altered": (
        examine.CloseUp((), np.linspace(-1, 1, 10), np.zeros(10), None, np.zeros((30, 2, 8, 6))),
        ["learned", "residuals"],
    ),
    "a regression": (examine.CloseUp((), np.linspace(-1, 1, 10), np.zeros(10), None), ["residuals"]),
}


@pytest.mark.parametrize(("seen", "names"), SEEN.values(), ids=SEEN.keys())
def test_the_best_run_has_the_pictures_that_its_predictions_allow(
    seen: examine.CloseUp, names: list[str], tmp_path: Path
) -> None:
    made(tmp_path)
    drawn, missing = examined(gather([tmp_path]), Examiner(seen))
    assert [picture.name for picture in drawn] == [*names, "signals"]
    assert missing == []


def test_predictions_of_another_kind_are_named_with_their_shapes(tmp_path: Path) -> None:
    made(tmp_path)
    several = examine.CloseUp((), np.zeros((10, 2)), np.zeros((10, 2)), None)
    drawn, missing = examined(gather([tmp_path]), Examiner(several))
    assert [picture.name for picture in drawn] == ["signals"]
    assert "outputs (10, 2) and targets (10, 2). Needed: probabilities" in missing[0]


class Examiner:
    """Looks into no checkpoint, but returns what it was given."""

    def __init__(self, seen: examine.CloseUp) -> None:
        self.seen = seen

    def close_up(self, checkpoint: Path) -> examine.CloseUp:
        return self.seen

    def permuted(self, checkpoints: Sequence[Path], metric: str, repeats: int) -> dict[str, list[float]]:
        assert {path.name for path in checkpoints} == {"best.ckpt"}
        return {}

    def signals(self, config: dict[str, Any]) -> list[dict[str, float]]:
        return [{"layer": 1, "activation": 1.0, "gradient": 1.0}]


@pytest.mark.parametrize("score", [records.LOSS, Score(None, None)], ids=["lower is better", "no metric"])
def test_any_metric_or_none_makes_a_report(score: Score, tmp_path: Path) -> None:
    values: dict[str, Any] = {"task.hidden": [8, 16, 32], "lr": [0.1, 0.2], "seed": [0, 1]}
    for place, setting in enumerate(records.grid(values)):
        made = records.record(setting, 2.0 - place / 100, score=score) | {"data": None, "checkpoint": None}
        records.write(tmp_path, made)
    told = write([tmp_path], examine.Examiner())
    figures = {path.stem for path in (tmp_path / "report" / "figures").glob("*.png")}
    assert "curves_val_loss" in figures
    assert ("answer" in figures) == bool(score.metric)
    answer = "Best by val/loss (lower is better): task.hidden=32" if score.metric else "have no metric"
    assert answer in told
    assert "nan" not in (tmp_path / "report" / "report.md").read_text()


def test_the_example_in_the_readme_runs(command: Command, tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = [
        code for code in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "study.load" in code
    ]
    (folder,) = re.findall(r"study\.load\(\"(.*?)\"\)", example)
    made(tmp_path / folder, optimizer=["sgd", "adam"])
    command("report.py", "--help")  # goes into tmp_path
    lines = example.partition("task = ")[0]  # made records have no checkpoints
    names: dict[str, Any] = {}
    exec(compile(lines, "README.md", "exec"), names)  # noqa: S102 - our own README
    assert len(names["runs"]) == 25


def test_settings_of_all_runs_are_kept_once_and_their_own_apart(tmp_path: Path) -> None:
    for setting in ({"lr": 0.1, "init": "a"}, {"lr": 0.2, "init": "a"}):
        records.write(tmp_path, records.record(setting))
    told = page.settings(study.load(tmp_path), records.ACCURACY)
    assert told["same"]["init"] == "a"
    assert [own["lr"] for own in told["own"]] == ["0.1", "0.2"]
    assert not set(told["same"]) & set(told["own"][0])
