"""Files that are there whole or not at all, whatever happens while they are written."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file beside the path; it takes the path's name at the end, unless an error ended it.

    A process that is killed in between leaves the old file, and a hidden temporary one.
    """
    unfinished = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        with unfinished.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # where a disk is full, the system does not say
        raise
    finally:
        unfinished.unlink(missing_ok=True)
