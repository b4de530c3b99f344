"""Which code ran: the commit, and what differs from it, read in bounded memory and time."""

import functools
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path

from overnight.config.folders import PROJECT

LONGEST_DIFF = 200_000  # bytes; somebody may have left data beside the code
LARGEST_FILE = 1_000_000  # bytes of a file that git is asked to compare: it reads all into memory
MOST_FILES = 1000  # files that git is asked to compare: hardly more fit into a diff of this length
LONGEST_LIST = 1_000_000  # bytes of whatever else git prints
MOST_NAMES = 20  # files left out that are named; of the others the number is told

PLAIN = ("HEAD", "--no-renames", "--no-color", "--no-ext-diff", "--no-textconv")
FORM = ("--src-prefix=a/", "--dst-prefix=b/")
"""What a patch looks like, whatever somebody's settings of git say."""
HEADER = b"\ndiff --git "


@functools.cache
def code() -> dict[str, object]:
    """Return the commit of the code and how it differs from that; ``git_error`` says why git cannot tell.

    Asked for the first time when the code has just been imported: what is edited later does not run.
    """
    known: dict[str, object] = dict.fromkeys(("git_commit", "git_dirty", "git_diff", "git_error"))
    try:
        known["git_commit"] = git("rev-parse", "HEAD").decode().strip()
        changes = git("status", "--porcelain", "--no-renames", "--untracked-files=normal", most=1)
        known["git_dirty"] = bool(changes)
        known["git_diff"] = diff() if changes else None
    except OSError as error:
        known["git_error"] = str(error)
    return known


def diff() -> str:
    """Return the changes since the commit, of as many whole files as fit; the other files are named.

    Files that git does not know yet are announced in a copy of the index: the user's own is not ours to
    change.
    """
    paths = git("rev-parse", "--path-format=absolute", "--show-toplevel", "--git-path", "index")
    root, index = os.fsdecode(paths).splitlines()
    with tempfile.TemporaryDirectory() as folder:
        copy, order = Path(folder, "index"), Path(folder, "order")
        if Path(index).is_file():
            shutil.copy2(index, copy)  # with its time, by which git tells what was changed just afterwards
        in_copy = functools.partial(git, "-C", root, "--literal-pathspecs", GIT_INDEX_FILE=str(copy))
        changed = names(in_copy("diff", "--name-only", "-z", *PLAIN))
        new = names(in_copy("ls-files", "--others", "--exclude-standard", "-z"))
        files = choose(root, changed, new)
        order.write_bytes(os.fsencode("\n".join(files)))
        in_copy("add", "--intent-to-add", "--", *(name for name in files if name in new))
        compare = ("diff", *PLAIN, *FORM, f"-O{order}", "--", *files)
        patch = in_copy(*compare, most=LONGEST_DIFF) if files else b""
    return told(patch, files, changed | new)


def choose(root: str, changed: dict[str, None], new: dict[str, None]) -> list[str]:
    """Return the files to compare: what was changed before what is new, and small before large."""
    sizes = {name: size(root, name) for name in (*changed, *new)}
    readable = [name for name in sizes if sizes[name] <= LARGEST_FILE]
    return sorted(readable, key=lambda name: (name in new, sizes[name]))[:MOST_FILES]


def names(listed: bytes) -> dict[str, None]:
    """Return the names in a list, in its order; one that the limit has cut is not among them."""
    return dict.fromkeys(os.fsdecode(listed).split("\0")[:-1])


def size(root: str, name: str) -> float:
    """Return how much git would read to compare a file, in bytes; infinity if it could not."""
    path = Path(root, name)
    if name.endswith("/"):  # somebody else's repository
        return math.inf
    if path.is_symlink() or not path.is_file():  # or it was deleted
        return 0
    return path.stat().st_size if os.access(path, os.R_OK) else math.inf


def told(patch: bytes, compared: list[str], files: Iterable[str]) -> str:
    """Return what a patch has of whole files, and in a last line the files of which it has nothing."""
    cut = len(patch) == LONGEST_DIFF
    whole = patch[: max(0, (b"\n" + patch).rfind(HEADER))] if cut else patch
    headers = {line for line in whole.split(b"\n") if line.startswith(HEADER.strip())}
    heading = {name: os.fsencode(f"diff --git a/{name} b/{name}") for name in compared}
    missing = [name for name in files if name not in heading or (cut and heading[name] not in headers)]
    named = os.fsencode(", ".join(missing[:MOST_NAMES])).decode(errors="replace")
    others = f", and at least {len(missing) - MOST_NAMES:,} more" if len(missing) > MOST_NAMES else ""
    text = whole.decode(errors="replace")
    return f"{text}[left out: {named}{others}]" if missing else text.removesuffix("\n")


def git(*arguments: str, most: int = LONGEST_LIST, **variables: str) -> bytes:
    """Return what git prints about the project's checkout, and end it after so many bytes.

    Variables such as GIT_DIR, which git itself sets for its hooks, would make it another checkout. Git
    refuses one that belongs to another user, as in a container; but the code of this one is running already.

    Raises:
        OSError: there is no git, or it cannot tell; in git's own words.
    """
    project = Path(os.environ.get(PROJECT, ".")).resolve()
    settings = (f"safe.directory={project}", "core.quotePath=false", f"core.bigFileThreshold={LARGEST_FILE}")
    options = [word for setting in settings for word in ("-c", setting)]
    command = ["git", "--no-optional-locks", "-C", str(project), *options, *arguments]
    environment = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")} | variables
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        assert process.stdout
        printed = process.stdout.read(most)
        if len(printed) == most:
            process.kill()
        elif process.wait():
            errors.seek(0)
            raise OSError(" ".join(errors.read(LONGEST_LIST).decode(errors="replace").split()))
    return printed
