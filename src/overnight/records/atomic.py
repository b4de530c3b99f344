"""Files that are there whole or not at all, whatever happens while they are written."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside the path; it takes the path's name at the end, unless an error ended it.

    A process that is killed in between leaves the old file, and a hidden temporary one.
    """
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    unfinished = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        unfinished.chmod(0o644)  # temporary files are their owner's alone
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
