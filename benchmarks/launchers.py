"""Seconds for a sweep of twelve small runs on FashionMNIST: one after another, and side by side.

Each is the whole command, from start to leaderboard, in a process of its own; they take turns. Machines
differ and are noisy: read the ratio.

    python benchmarks/launchers.py [rounds]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
SWEEP = ["-m", "seed=range(12)", "trainer.max_epochs=3", "task_name=bench"]
LAUNCHERS = {"basic": [], "joblib": ["hydra/launcher=joblib"]}


def seconds(launcher: list[str]) -> float:
    """Run the sweep in an empty folder."""
    data = os.environ.get("FCNLAB_DATA", str(ROOT / "data"))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, str(ROOT / "train.py"), *SWEEP, *launcher],
            cwd=folder,
            env=os.environ | {"FCNLAB_DATA": data},
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - start


def main(rounds: int) -> None:
    """Measure in turn; print each round, the medians and the median of the ratios within a round."""
    measured = []
    for number in range(rounds):
        times = {name: seconds(launcher) for name, launcher in LAUNCHERS.items()}
        measured.append(times)
        print(f"round {number + 1}:", *(f"{name} {took:6.1f} s " for name, took in times.items()), flush=True)
    for name in LAUNCHERS:
        print(f"{name:>8}: {statistics.median(times[name] for times in measured):.1f} s, median of {rounds}")
    ratio = statistics.median(times["basic"] / times["joblib"] for times in measured)
    print(f"basic/joblib  {ratio:.2f}  (target >= 1.2)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
