"""Adds the configuration that ships inside overnight to where Hydra looks for options."""

from hydra.core.config_search_path import ConfigSearchPath
from hydra.plugins.search_path_plugin import SearchPathPlugin


class OvernightSearchPath(SearchPathPlugin):
    """Adds overnight's folder after the project's own, which therefore wins; and what its files ask for."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        """Add the folder, and the resolvers, which a notebook would not have."""
        from overnight.config import folders, resolvers  # noqa: PLC0415 - at the top only Hydra may stand

        resolvers.register()
        search_path.append(provider="overnight", path=f"file://{folders.SHIPPED}")
