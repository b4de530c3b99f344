"""Milliseconds of a step of 784-2048-2048-10 at batch 128 with each augmentation, alternating in one process.

A step is the task's own, with the backward pass and Adam; nothing is measured or validated. Machines differ
and are noisy: read the ratios to the plain step of the same round. At most 1.3 is the target.

    python benchmarks/augmentation.py [rounds] [steps] [HIDDEN_SIZES]
"""

import operator
import statistics
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf
from rich.console import Console
from rich.table import Table

from overnight.config import resolvers
from overnight.training.parts import instantiated

CONF = Path(__file__).parents[1] / "conf"
PLAIN, ALL = "none", "[flip,shift,affine,mixup,cutmix]"
WAYS = (PLAIN, "flip", "shift", "affine", "mixup", "cutmix", "[flip,shift,cutmix]", ALL)


def build(augmentation: str, sizes: str) -> tuple[Any, Any]:
    """Build task and data as train.py does; the images are read once."""
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("train", [f"augmentation={augmentation}", f"model.hidden_sizes={sizes}"])
    config: Any = {key: OmegaConf.to_container(cfg[key], resolve=True) for key in ("task", "data")}
    return instantiated(config["task"]).train(), instantiated(config["data"])


def seconds_of_steps(task: Any, optimizer: torch.optim.Optimizer, batches: list[Any]) -> list[float]:
    """Train on these batches."""
    seconds = []
    for number, batch in enumerate(batches):
        start = time.perf_counter()
        optimizer.zero_grad()
        task.training_step(batch, number)["loss"].backward()
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    return seconds


def main(rounds: int = 7, steps: int = 40, sizes: str = "[2048,2048]") -> None:
    """Measure in turn; print medians, medians of the ratios within a round, and the fastest steps."""
    resolvers.register()
    built = {way: build(way, sizes) for way in WAYS}
    data = built[PLAIN][1]
    data.setup()
    tasks = {way: (task, task.optimizer(task.net.parameters())) for way, (task, _) in built.items()}
    batches = list(islice(data.train_dataloader(), steps))
    for task, optimizer in tasks.values():
        seconds_of_steps(task, optimizer, batches[:3])
    measured = [
        {way: seconds_of_steps(*parts, batches) for way, parts in tasks.items()} for _ in range(rounds)
    ]
    title = f"{rounds} rounds of {steps} steps, {torch.get_num_threads()} threads, hidden layers {sizes}"
    table = Table("augmentation", "ms, median", "times none", "ms, fastest", "times none", title=title)
    medians, fastest = (
        {way: [summary(row[way]) for row in measured] for way in WAYS} for summary in (statistics.median, min)
    )
    for way in WAYS:
        median, least = statistics.median(medians[way]), min(fastest[way])
        ratio = statistics.median(map(operator.truediv, medians[way], medians[PLAIN]))
        cells = (1000 * median, ratio, 1000 * least, least / min(fastest[PLAIN]))
        table.add_row(way.strip("[]"), *(f"{cell:.2f}" for cell in cells))
    Console(width=100, color_system=None).print(table)


if __name__ == "__main__":
    main(*[kind(text) for kind, text in zip((int, int, str), sys.argv[1:], strict=False)])
