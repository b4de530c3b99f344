"""Models x epochs a second for 27 runs of 784-256-128-10 at batch 128 on FashionMNIST, everything recorded.

(a) stacked, fp32    (b) stacked, bf16    (c) one after another    (d) side by side, hydra/launcher=joblib

Each is the whole command, from start to leaderboard, in a process and a folder of its own; they take turns.
In between, the matrix products alone of as many steps. Then (a) with 1 to 81 members, and peak memory.
For Linux. Machines differ and are noisy: read the ratios, each within a round.

    python benchmarks/stacked.py [rounds] [epochs]
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import torch
from bare import matrix_products
from rich.console import Console
from rich.table import Table

ROOT = Path(__file__).parents[1]
DATA = os.environ.get("FCNLAB_DATA", str(ROOT / "data"))
GRID = [
    "optimizer=sgd,adam,rmsprop",
    "lr=0.001,0.01,0.1",
    "init=torch_default,xavier_normal,kaiming_normal",
]
RUNS = 27
STACKED = ["hydra/launcher=stacked", "hydra.launcher.memory_gb=16"]
WAYS = {
    "a": ("stacked, fp32", STACKED),
    "b": ("stacked, bf16", [*STACKED, "trainer=bf16"]),
    "c": ("one after another", []),
    "d": ("side by side, joblib", ["hydra/launcher=joblib"]),
}
TARGETS = (("c", "a", ">= 2.0"), ("c", "b", ">= 3.0"), ("a", "products", "<= 1.6"), ("c", "d", ""))
MEMBERS = (1, 3, 9, 27, 81)
GROWN = 3  # epochs of each of those


class Cost(NamedTuple):
    """What a command took: seconds, and at its peak MB of memory, if that was looked at."""

    seconds: float
    memory: float


def cost(epochs: int, *arguments: str, look: float | None = None) -> Cost:
    """Run a sweep in an empty folder; look at its memory every so many seconds, which takes time from it.

    Raises:
        ChildProcessError: it failed.
    """
    typed = ["-m", *arguments, f"trainer.max_epochs={epochs}", "task_name=bench"]
    with tempfile.TemporaryDirectory() as folder, Path(folder, "log").open("w") as log:
        start, peak = time.perf_counter(), 0.0
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *typed],
            cwd=folder,
            env=os.environ | {"FCNLAB_DATA": DATA},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        while process.returncode is None:
            with suppress(subprocess.TimeoutExpired):
                process.wait(look)
            peak = max(peak, memory(process.pid))
        seconds = time.perf_counter() - start
        if process.returncode:
            raise ChildProcessError(Path(folder, "log").read_text(encoding="utf-8"))
    return Cost(seconds, peak)


def memory(session: int) -> float:
    """Return the MB of all processes of a session; what several of them share is counted once."""
    total = 0
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            if int((path / "stat").read_text().rpartition(")")[2].split()[3]) == session:
                total += int((path / "smaps_rollup").read_text().partition("Pss:")[2].split()[0])
    return total / 1024


def products() -> float:
    """Return the seconds of the matrix products of one epoch."""
    images = torch.randn(54_000, 784)
    return min(matrix_products(images, torch.empty(0)) for _ in range(3))


def main(rounds: int = 3, epochs: int = 10) -> None:
    """Measure in turn, and print medians and the medians of the ratios within a round."""
    console = Console(width=100, color_system=None)
    measured: list[dict[str, float]] = []
    for number in range(rounds):
        seconds = {way: cost(epochs, *GRID, *arguments).seconds for way, (_, arguments) in WAYS.items()}
        measured.append(seconds | {"products": RUNS * epochs * products()})
        console.print(f"round {number + 1}:", *(f"{w} {s:.1f} s" for w, s in measured[-1].items()))
    table = Table(title=f"{RUNS} runs x {epochs} epochs, {torch.get_num_threads()} threads")
    for column in ("what", "models x epochs a second", "seconds"):
        table.add_column(column, justify="left" if column == "what" else "right")
    names = {way: f"({way}) {name}" for way, (name, _) in WAYS.items()} | {
        "products": "matrix products alone"
    }
    for way, name in names.items():
        median = statistics.median(row[way] for row in measured)
        table.add_row(name, f"{RUNS * epochs / median:.2f}", f"{median:.1f}")
    console.print(table)
    for over, under, target in TARGETS:
        ratio = statistics.median(row[over] / row[under] for row in measured)
        console.print(f"{over}/{under}  {ratio:.2f}  {target}")
    console.print(growth(GROWN))


def growth(epochs: int) -> Table:
    """Measure how speed and memory of (a) grow with the number of members."""
    table = Table(title=f"stacked, fp32, {epochs} epochs: the whole command, in as few groups as cores allow")
    for column in ("members", "models x epochs a second", "peak MB"):
        table.add_column(column, justify="right")
    for members in MEMBERS:
        lrs = ",".join(f"{0.001 * (number + 1):.3f}" for number in range(members))
        took = cost(epochs, f"lr={lrs}", *STACKED, f"hydra.launcher.max_members={max(2, members)}", look=1.0)
        table.add_row(str(members), f"{members * epochs / took.seconds:.2f}", f"{took.memory:.0f}")
    return table


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
