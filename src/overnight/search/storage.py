"""Where the trials of a search are kept; ``python -m overnight.search.storage SWEEP`` prints its URL."""

import sys
from pathlib import Path

from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from overnight.config import folders
from overnight.config.cli import legible
from overnight.config.errors import ConfigError
from overnight.config.resolvers import sqlite

DATABASE = "optuna.db"


def open_storage(url: str | None) -> BaseStorage:
    """Open a database, or raise a ConfigError; without one, the trials live as long as the process."""
    try:
        return InMemoryStorage() if url is None else RDBStorage(url)
    except (SQLAlchemyError, AttributeError, ImportError, LookupError, RuntimeError, ValueError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ConfigError(
            f"hydra.sweeper.storage={url}: cannot be opened ({reason}). Needed: the URL of a database that "
            f"SQLAlchemy can open, or null for none. Type for example: "
            f"hydra.sweeper.storage=sqlite:///FOLDER/optuna.db"
        ) from error


def find_database(sweep: str) -> str:
    """Return the URL of a search's database, given its folder; of the newest, given "".

    Raises:
        FileNotFoundError: there is none.
    """
    named = [Path(sweep, DATABASE)] if sweep else Path(folders.outputs(), "sweeps").glob(f"*/{DATABASE}")
    found = [path for path in named if path.is_file()]
    if not found:
        raise FileNotFoundError(
            f"{sweep or 'outputs/sweeps'}: there is no {DATABASE}. Needed: the folder of a search. "
            f"Type for example: make dashboard SWEEP=outputs/sweeps/search"
        )
    return sqlite(str(max(found, key=lambda path: path.stat().st_mtime)))


if __name__ == "__main__":
    sys.stdout.write(legible(find_database)("".join(sys.argv[1:])) + "\n")
