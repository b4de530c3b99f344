"""A report from the command to its files: whole, self-contained, and safe from what stands in the records."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import records
from commands import ROOT, SHORT, Command
from overnight import study
from overnight.runs import examine
from overnight.study import page
from overnight.study.figures.style import STYLE
from overnight.study.report import write
from overnight.study.score import Score
from small_studies import HOSTILE, made

SWEEP = ("-m", *SHORT, "init=torch_default,zeros", "seed=0,1", "task_name=s")


@pytest.fixture(autouse=True)
def _coarse_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save few pixels, since these take most of the time and nobody looks at them here."""
    monkeypatch.setitem(STYLE, "savefig.dpi", 60)


VOID = {"meta", "img", "br"}


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
