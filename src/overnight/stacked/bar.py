"""How far a stacked sweep is: a bar over all epochs of all groups, and a line for each group."""

import math
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import singledispatchmethod
from operator import mul
from typing import NamedTuple, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn


class Epoch(NamedTuple):
    """News of a group, from whatever process: it has trained so many members for one more epoch."""

    group: int
    epoch: int
    members: int


class Trained(NamedTuple):
    """News of a group: it has trained all it is going to train."""

    group: int


class Bar:
    """Counts models x epochs while groups are trained. It moves on a terminal only.

    ``work`` is models x epochs of each group, ``costs`` what one of them takes in each, in whatever unit.
    """

    def __init__(self, work: Sequence[int], costs: Sequence[float]) -> None:
        self._costs = costs
        self._trained = [0] * len(work)
        self._left = list(work)  # less by more than was trained, where members stopped early
        self._console = Console(file=sys.stdout)
        self._progress = Progress(
            TextColumn("group {task.fields[group]}, epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.fields[speed]:.1f} models x epochs/s"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            refresh_per_second=2,
            disable=not self._console.is_terminal,
        )
        self._total = self._cost(work)
        self._bar = self._progress.add_task("", total=self._total, group="1", epoch=0, speed=0.0)

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _cost(self, work: Sequence[int]) -> float:
        return math.fsum(map(mul, work, self._costs))

    def _said(self) -> tuple[float, int]:
        """Return models x epochs a second so far, and how many seconds the others will take."""
        seconds = time.perf_counter() - self._start
        left = seconds * self._cost(self._left) / self._cost(self._trained)
        return sum(self._trained) / seconds, round(left)

    @singledispatchmethod
    def hear(self, text: str) -> None:
        """Take in what a group tells, in whatever thread; text is printed as it is.

        Where it cannot be printed, the training goes on.
        """
        with suppress(OSError, SystemExit):  # which is what rich makes of a broken pipe
            self._console.print(text, end="", markup=False, emoji=False, highlight=False, soft_wrap=True)

    @hear.register
    def _(self, news: Epoch) -> None:
        self._trained[news.group] += news.members
        self._left[news.group] = max(0, self._left[news.group] - news.members)
        self._progress.update(
            self._bar,
            completed=self._total - self._cost(self._left),
            group=self._name(news.group),
            epoch=news.epoch,
            speed=self._said()[0],
        )

    @hear.register
    def _(self, news: Trained) -> None:
        self._left[news.group] = 0
        if not self._trained[news.group]:
            return
        speed, seconds = self._said()
        left = f"{seconds // 60}:{seconds % 60:02d}"
        self.hear(
            f"group {self._name(news.group)}: {self._trained[news.group]} models x epochs; "
            f"{speed:.1f} a second so far ({left} left)\n"
        )

    def _name(self, group: int) -> str:
        return f"{group + 1}/{len(self._costs)}"
