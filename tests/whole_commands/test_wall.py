"""The machinery alone: in a clone without the research it passes its tests, and sweeps what others wrote."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from commands import ROOT, environment
from foreign_runs import TRAIN
from overnight.records.record import find_runs, read_record

RESEARCH = ("src/fcnlab/", "conf/", "tests/research/", "tests/fashion_mnist/", "tests/whole_commands/")
NOT_HERE = "raise ModuleNotFoundError('there is no research in this clone', name=__name__)\n"
TESTS = ROOT / "tests"


def test_no_test_of_the_machinery_asks_for_the_research() -> None:
    of_research = {path.stem for path in (TESTS / "support").glob("*.py") if "fcnlab" in path.read_text()}
    asked = re.compile(rf"^\s*(?:from|import) (?:fcnlab|{'|'.join(of_research)})\b|\bCONF\b", re.MULTILINE)
    guilty = [path.name for path in (TESTS / "machinery").rglob("*.py") if asked.search(path.read_text())]
    assert guilty == []
    assert "commands" not in of_research  # the plugin


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what git knows, and what it does not ignore, without the research."""
    folder = tmp_path_factory.mktemp("clone")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for name in filter(None, listed.split("\0")):
        if not name.startswith(RESEARCH) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    (folder / "absent").mkdir()
    (folder / "absent" / "fcnlab.py").write_text(NOT_HERE)  # else the checkout's, if it is installed
    return folder


def run(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the clone, with its packages before those that are installed."""
    folders = (clone / "src", clone / "absent", clone / "tests" / "support")
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=clone,
        env=environment() | {"PYTHONPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_the_clone_is_what_is_imported_and_has_no_research(clone: Path) -> None:
    asked = run(clone, "-c", "import overnight; print(overnight.__file__); import fcnlab")
    assert asked.stdout.strip() == str(clone / "src" / "overnight" / "__init__.py")
    assert "there is no research in this clone" in asked.stderr


@pytest.mark.slow
def test_the_machinery_passes_its_tests_there(clone: Path) -> None:
    tested = run(clone, "-m", "pytest", "-p", "no:cacheprovider", "tests/machinery")
    assert tested.returncode == 0, tested.stdout


@pytest.mark.slow
def test_a_foreign_module_is_swept_and_reported_there(clone: Path) -> None:
    swept = run(clone, TRAIN, "-m", "module=regressor", "lr=0.01,0.1", "seed=0,1,2", "task_name=wall")
    assert swept.returncode == 0, swept.stderr
    sweep = clone / "outputs" / "sweeps" / "wall"
    records = [read_record(path) or {} for path in find_runs(sweep)]
    assert [(each["status"], each["metric"], each["checked"]) for each in records] == [
        ("completed", "val_loss", True)
    ] * 6
    reported = run(clone, "report.py", str(sweep))
    assert reported.returncode == 0, reported.stderr
    page = next(sweep.rglob("index.html")).read_text()
    assert "val_loss" in page
    assert "accuracy" not in page
