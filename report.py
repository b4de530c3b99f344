"""Turn recorded runs into an answer: python report.py [outputs/sweeps/NAME ...]."""

import argparse
import logging
import sys

from overnight.config.arguments import expanded_path, sweep_path
from overnight.config.cli import legible


def main() -> None:
    """Parse, compute, and say where the report is; imports here, so that --help answers without torch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "directories",
        nargs="*",
        type=sweep_path,
        help="folders of sweeps or runs, or names of sweeps; the newest sweep by default",
    )
    parser.add_argument(
        "--scientific",
        metavar="KEY[,KEY]",
        default="",
        help="the hyperparameters in question; by default what the study declares",
    )
    parser.add_argument(
        "--output",
        type=expanded_path,
        help="where to write; by default the folder report in the first directory",
    )
    parser.add_argument(
        "--trust",
        metavar="NAME[,NAME]",
        action="append",
        default=[],
        help="packages of which a checkpoint may build modules, besides torch, Lightning and those in src/",
    )
    arguments = parser.parse_args()
    from overnight.records.printable import printable  # noqa: PLC0415
    from overnight.runs import examine  # noqa: PLC0415
    from overnight.study import report  # noqa: PLC0415
    from overnight.sweeps import status  # noqa: PLC0415

    for source in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(source).setLevel(logging.WARNING)  # not which GPUs and checkpoints there are
    told = legible(report.write)(
        arguments.directories or [status.newest()],
        examine.Examiner([name for names in arguments.trust for name in names.split(",")]),
        tuple(key.strip() for key in arguments.scientific.split(",") if key.strip()),
        arguments.output,
    )
    sys.stdout.write(printable(told))


if __name__ == "__main__":
    main()
