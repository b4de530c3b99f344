"""Look at a sweep, while it runs or later: python status.py [outputs/sweeps/NAME]."""

import argparse

from overnight.config.arguments import sweep_path
from overnight.config.cli import legible


def main() -> None:
    """Parse and show; imports here, so that --help answers without pandas."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "directory", nargs="?", type=sweep_path, help="a sweep's folder or its name; the newest by default"
    )
    arguments = parser.parse_args()
    from overnight.sweeps.status import show  # noqa: PLC0415

    legible(show)(arguments.directory)


if __name__ == "__main__":
    main()
