"""Resident memory of one process over a sweep of short runs: what a run leaves behind adds up.

Linux only (/proc). Read the growth after the first ten runs.

    python benchmarks/memory.py [runs]
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from overnight.records import sweep_state

ROOT = Path(__file__).parents[1]
SHORT = ["data=synthetic", "data.train_size=600", "data.test_size=200", "data.val_size=100", "trainer=cpu"]
WARM = 10  # runs, until everything is imported and every buffer has its size


def resident(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of a process in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def main(runs: int) -> None:
    """Sweep, look at the memory from outside, and print its growth."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["-m", f"seed=range({runs})", *SHORT, "trainer.max_epochs=1", "task_name=memory"]
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *arguments], cwd=folder, stdout=subprocess.DEVNULL
        )
        measured: dict[int, float] = {}
        while process.poll() is None and len(measured) < runs:
            ended = len(sweep_state.ended(Path(folder, "outputs", "sweeps", "memory")))
            measured.setdefault(ended, resident(process))
            time.sleep(0.05)
        process.wait()
    after = {ended: memory for ended, memory in measured.items() if ended >= WARM}
    for ended in list(after)[:: max(1, len(after) // 10)]:
        print(f"{ended:>5} runs  {after[ended]:6.0f} MB")
    first, *_, last = after.values()
    print(f"growth after the first {WARM}: {last - first:.0f} MB (target: below 50 in 300 runs)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
