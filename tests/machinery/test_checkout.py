"""Which code made a record: the commit, and what differs from it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from overnight.config.folders import PROJECT
from overnight.runs import checkout as asked


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
    asked.code.cache_clear()
    yield tmp_path
    asked.code.cache_clear()


@pytest.mark.usefixtures("checkout")
def test_a_clean_checkout_has_a_commit_and_no_diff() -> None:
    code = asked.code()
    assert len(str(code["git_commit"])) == 40
    assert (code["git_dirty"], code["git_diff"]) == (False, None)


def test_the_diff_has_what_was_changed_staged_and_added_but_not_what_is_ignored(checkout: Path) -> None:
    (checkout / "code.py").write_text("two\n")
    (checkout / "staged.py").write_text("three\n")
    git(checkout, "add", "staged.py")
    (checkout / "new.py").write_text("four\n")
    (checkout / "ignored").write_text("five\n")
    code = asked.code()
    diff = str(code["git_diff"])
    assert code["git_dirty"] is True
    assert all(line in diff for line in ("-one", "+two", "+three", "+four"))
    assert "five" not in diff


def test_the_diff_can_be_applied(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (checkout / "code.py").write_text("two\n")
    (checkout / "new.py").write_text("four\n")
    patch = tmp_path_factory.mktemp("patch") / "diff"
    patch.write_text(str(asked.code()["git_diff"]) + "\n")
    git(checkout, "stash", "--include-untracked")
    git(checkout, "apply", str(patch))
    assert [(checkout / name).read_text() for name in ("code.py", "new.py")] == ["two\n", "four\n"]


def test_asking_changes_nothing_in_the_checkout(checkout: Path) -> None:
    (checkout / "new.py").write_text("four\n")
    asked.code()
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=checkout, check=True, capture_output=True, text=True
    )
    assert status.stdout == "?? new.py\n"


def test_what_is_too_long_is_left_out_and_named(checkout: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (checkout / name).write_text("x\n" * (asked.LONGEST_DIFF // 5))
    (checkout / "code.py").write_text("two\n")
    (checkout / "z.py").write_text("four\n")
    diff = str(asked.code()["git_diff"])
    assert len(diff) < asked.LONGEST_DIFF + 100
    assert all(line in diff for line in ("-one", "+two", "+four"))
    assert diff.endswith("\n[left out: b.csv, c.csv]")


def test_a_diff_with_something_left_out_can_be_applied(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (checkout / "code.py").write_text("two\n")
    (checkout / "data.csv").write_bytes(bytes(asked.LARGEST_FILE + 1))
    patch = tmp_path_factory.mktemp("patch") / "diff"
    patch.write_text(str(asked.code()["git_diff"]))
    assert patch.read_text().endswith("[left out: data.csv]")
    git(checkout, "checkout", "code.py")
    git(checkout, "apply", str(patch))
    assert (checkout / "code.py").read_text() == "two\n"


def test_of_many_files_left_out_some_are_named_and_the_others_counted(checkout: Path) -> None:
    for number in range(30):
        with (checkout / f"{number:02}.npy").open("wb") as file:
            file.truncate(asked.LARGEST_FILE + 1)
    diff = str(asked.code()["git_diff"])
    assert diff.startswith("[left out: 00.npy, 01.npy, ")
    assert diff.endswith("19.npy, and at least 10 more]")


def test_files_with_strange_names_are_compared(checkout: Path) -> None:
    for name in ("mit Leerzeichen.py", "größe.py", "*.py", "-n.py", ":top"):
        (checkout / name).write_text(f"in {name}\n")
    diff = str(asked.code()["git_diff"])
    assert diff.count("+in ") == 5
    assert "left out" not in diff


def test_what_is_only_taken_out_of_the_index_is_not_left_out(checkout: Path) -> None:
    git(checkout, "rm", "--cached", "code.py")
    code = asked.code()
    assert (code["git_dirty"], code["git_diff"]) == (True, "")


def test_another_repository_within_is_named(checkout: Path) -> None:
    git(checkout, "init", "other")
    assert asked.code()["git_diff"] == "[left out: other/]"


ASKED = """
import json, resource, tracemalloc
from overnight.runs import checkout
tracemalloc.start()
diff = checkout.code()["git_diff"]
_, peak = tracemalloc.get_traced_memory()
print(json.dumps([diff, peak, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss]))
"""


@pytest.mark.parametrize("tracked", [True, False])
def test_hundreds_of_megabytes_beside_the_code_are_not_read(checkout: Path, tracked: bool) -> None:
    """In a process of its own: as large as the process that starts it is a child before it becomes git."""
    with (checkout / "data.csv").open("wb") as file:
        file.truncate(1)
        if tracked:
            git(checkout, "add", ".")
            git(checkout, "commit", "-m", "data")
        file.truncate(2 * 10**9)  # of which the disk holds nothing
    printed = subprocess.run([sys.executable, "-c", ASKED], check=True, capture_output=True).stdout
    diff, peak, kilobytes_of_git = json.loads(printed)
    assert diff == "[left out: data.csv]"
    assert peak < 10**7
    assert kilobytes_of_git < 200_000


OTHER = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_EXTERNAL_DIFF")


def test_variables_of_another_checkout_change_nothing(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "new.py").write_text("four\n")
    expected = asked.code()
    other = tmp_path_factory.mktemp("other")
    git(other, "init")
    for name in OTHER:
        monkeypatch.setenv(name, str(other / ".git"))
    asked.code.cache_clear()
    assert asked.code() == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_checkout_of_another_user_has_its_commit(checkout: Path) -> None:
    (checkout / "new.py").write_text("four\n")
    expected = asked.code()
    for path in (checkout, *checkout.rglob("*")):
        os.chown(path, 12345, 12345)
    asked.code.cache_clear()
    assert asked.code() == expected
    assert expected["git_error"] is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_a_folder_within_a_checkout_of_another_user_has_the_reason(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (checkout / "inner").mkdir()
    os.chown(checkout, 12345, 12345)
    monkeypatch.setenv(PROJECT, str(checkout / "inner"))
    code = asked.code()
    assert code["git_commit"] is None
    assert "dubious ownership" in str(code["git_error"])


def test_outside_a_checkout_nothing_is_known_and_the_record_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PROJECT, str(tmp_path))
    asked.code.cache_clear()
    code = dict(asked.code())
    assert "not a git repository" in str(code.pop("git_error"))
    assert set(code.values()) == {None}
    asked.code.cache_clear()


@pytest.mark.usefixtures("checkout")
def test_without_git_the_record_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    code = asked.code()
    assert code["git_commit"] is None
    assert "git" in str(code["git_error"])


def test_what_is_edited_later_is_not_what_runs(checkout: Path) -> None:
    before = asked.code()
    (checkout / "code.py").write_text("two\n")
    assert asked.code() == before
