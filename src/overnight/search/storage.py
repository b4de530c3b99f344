"""Where the trials of a search are kept."""

from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from sqlalchemy.exc import SQLAlchemyError

from overnight.config.errors import ConfigError


def open_storage(url: str | None) -> BaseStorage:
    """Open a database; without one, the trials live as long as the process, and the records keep their runs.

    Raises:
        ConfigError: there is no database at the URL, and none can be made.
    """
    try:
        return InMemoryStorage() if url is None else RDBStorage(url)
    except (SQLAlchemyError, AttributeError, ImportError, LookupError, RuntimeError, ValueError) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise ConfigError(
            f"hydra.sweeper.storage={url}: cannot be opened ({reason}). Needed: the URL of a database that "
            f"SQLAlchemy can open, or null for none. Type for example: "
            f"hydra.sweeper.storage=sqlite:///FOLDER/optuna.db"
        ) from error
