"""The repository is made one's own by the commands of docs/forking.md, and its tests pass."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from commands import ROOT, environment

pytestmark = pytest.mark.slow
STEPS = re.compile(r"^## 4\. .*?^```\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run(folder: Path, *arguments: str) -> str:
    """Run a command in the copy, with its packages before the installed ones; return what it printed."""
    paths = os.pathsep.join(str(folder / name) for name in ("src", "tests/support"))
    variables = {"PYTHONPATH": paths, "MYLAB_DATA": str(folder / "none"), "OVERNIGHT_OUTPUTS": "outputs"}
    done = subprocess.run(
        arguments, cwd=folder, env=environment() | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of what git knows, and does not ignore, in which the commands have been typed."""
    folder = tmp_path_factory.mktemp("mylab")
    listed = run(ROOT, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((ROOT / name).read_bytes())
    run(folder, "git", "init", "--quiet")
    run(folder, "git", "add", "--all")
    (steps,) = STEPS.findall((ROOT / "docs" / "forking.md").read_text(encoding="utf-8"))
    run(folder, "sh", "-ec", steps)
    run(folder, "git", "add", "--all")
    return folder


def test_nothing_of_the_old_name_is_left_and_nothing_refers_to_the_old_data(copy: Path) -> None:
    assert run(copy, "git", "grep", "-il", "fcnlab").split() == ["LICENSE"]
    assert "fashion_mnist" not in run(copy, "git", "grep", "-h", "_", "--", "src", "conf", "Makefile")


def test_it_trains_on_its_own_data_by_default(copy: Path) -> None:
    said = run(copy, sys.executable, "train.py", "trainer=cpu", "trainer.max_epochs=1")
    assert "sampling of 600" in said


def test_its_tests_pass(copy: Path) -> None:  # the other tests of the machinery: see test_wall.py
    tests = ("tests/research", "tests/machinery/test_imports.py")
    run(copy, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests)


def test_it_is_linted(copy: Path) -> None:
    for words in (["ruff", "check"], ["ruff", "format", "--check"], ["mypy"]):
        run(copy, sys.executable, "-m", *words)
