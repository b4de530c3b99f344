"""Seconds and memory of ``report.py`` for many made records: a grid of 324 runs, and six seeds of it.

The whole command, in a process of its own. The data and the checkpoint of the best run are not there, so the
pictures that need them (about 5 s) are missing.

    python benchmarks/reporting.py
"""

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests" / "support"))  # makes records for the tests, too

import records  # noqa: E402

GRID: dict[str, list[Any]] = {
    "optimizer": ["momentum", "adam", "rmsprop"],
    "lr": [3e-4, 3e-3, 3e-2],
    "model": ["small", "fcn", "deep"],
    "init": ["torch_default", "xavier_normal", "kaiming_normal"],
    "normalized": [True, False],
    "dropout": [0.0, 0.3],
}
DIVERGED = 0.03  # share of the runs
SEEDS = (1, 6)
LARGEST = {1: (60, 2), 6: (240, None)}
"""By number of seeds: the seconds and the GiB that it may take."""


def write(folder: Path, seeds: int) -> int:
    """Write the records of the grid; return their number."""
    rng = random.Random(0)  # noqa: S311 - no secret
    settings = records.grid(GRID | {"seed": list(range(seeds))})
    for setting in settings:
        reached = 0.88 + 0.004 * (setting["optimizer"] == "adam") + rng.gauss(0, 0.002)
        lost = rng.random() < DIVERGED
        made = records.record(setting, None if lost else reached, ("completed", "diverged")[lost], epochs=10)
        records.write(folder, made)
    return len(settings)


def main() -> None:
    """Print a line for each number of records."""
    for seeds in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            count = write(Path(folder), seeds)
            start = time.perf_counter()
            subprocess.run(
                [sys.executable, str(ROOT / "report.py"), folder], check=True, stdout=subprocess.DEVNULL
            )
            took = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
        seconds, memory = LARGEST[seeds]
        within = f"(at most {seconds} s" + (f", {memory} GiB)" if memory else ")")
        print(f"{count:>5} records: {took:5.1f} s, {peak:.2f} GiB  {within}", flush=True)


if __name__ == "__main__":
    main()
