"""Which code made a record: the commit, and what differs from it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from overnight.config.cli import PROJECT
from overnight.runs import environment


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make the code a checkout of its own, with one commit."""
    git(tmp_path, "init")
    (tmp_path / "code.py").write_text("one\n")
    (tmp_path / ".gitignore").write_text("ignored\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    monkeypatch.setenv(PROJECT, str(tmp_path))
    environment.code.cache_clear()
    yield tmp_path
    environment.code.cache_clear()


@pytest.mark.usefixtures("checkout")
def test_a_clean_checkout_has_a_commit_and_no_diff() -> None:
    code = environment.code()
    assert len(str(code["git_commit"])) == 40
    assert (code["git_dirty"], code["git_diff"]) == (False, None)


def test_the_diff_has_what_was_changed_staged_and_added_but_not_what_is_ignored(checkout: Path) -> None:
    (checkout / "code.py").write_text("two\n")
    (checkout / "staged.py").write_text("three\n")
    git(checkout, "add", "staged.py")
    (checkout / "new.py").write_text("four\n")
    (checkout / "ignored").write_text("five\n")
    code = environment.code()
    diff = str(code["git_diff"])
    assert code["git_dirty"] is True
    assert all(line in diff for line in ("-one", "+two", "+three", "+four"))
    assert "five" not in diff


def test_the_diff_can_be_applied(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (checkout / "code.py").write_text("two\n")
    (checkout / "new.py").write_text("four\n")
    patch = tmp_path_factory.mktemp("patch") / "diff"
    patch.write_text(str(environment.code()["git_diff"]) + "\n")
    git(checkout, "stash", "--include-untracked")
    git(checkout, "apply", str(patch))
    assert [(checkout / name).read_text() for name in ("code.py", "new.py")] == ["two\n", "four\n"]


def test_asking_changes_nothing_in_the_checkout(checkout: Path) -> None:
    (checkout / "new.py").write_text("four\n")
    environment.code()
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=checkout, check=True, capture_output=True, text=True
    )
    assert status.stdout == "?? new.py\n"


def test_a_huge_diff_is_cut_and_says_so(checkout: Path) -> None:
    (checkout / "new.py").write_text("x" * environment.LONGEST_DIFF)
    diff = str(environment.code()["git_diff"])
    assert len(diff) < environment.LONGEST_DIFF + 100
    assert diff.endswith("characters in all]")


def test_outside_a_checkout_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PROJECT, str(tmp_path))
    environment.code.cache_clear()
    assert set(environment.code().values()) == {None}
    environment.code.cache_clear()


def test_what_is_edited_later_is_not_what_runs(checkout: Path) -> None:
    before = environment.code()
    (checkout / "code.py").write_text("two\n")
    assert environment.code() == before
