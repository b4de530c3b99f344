"""How far a stacked sweep is: a bar over all epochs of all groups, and a line for each group."""

import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import singledispatchmethod
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fcnlab.stacked.news import Epoch, Trained


class Bar:
    """Counts models x epochs while groups are trained. It moves on a terminal only.

    Args:
        work: models x epochs of each group.
    """

    def __init__(self, work: Sequence[int]) -> None:
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
        self._bar = self._progress.add_task("", total=sum(work), group="1", epoch=0, speed=0.0)
        self._work = work
        self._trained = [0] * len(work)
        self._left = list(work)  # less by more than was trained, where members stopped early

    def __enter__(self) -> Self:
        self._start = time.perf_counter()
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @property
    def _speed(self) -> float:
        return sum(self._trained) / (time.perf_counter() - self._start)

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
            completed=sum(self._work) - sum(self._left),
            group=f"{news.group + 1}/{len(self._work)}",
            epoch=news.epoch,
            speed=self._speed,
        )

    @hear.register
    def _(self, news: Trained) -> None:
        self._left[news.group] = 0
        if not self._trained[news.group]:
            return
        minutes, seconds = divmod(round(sum(self._left) / self._speed), 60)
        self.hear(
            f"group {news.group + 1}/{len(self._work)}: {self._trained[news.group]} models x epochs; "
            f"{self._speed:.1f} a second so far ({minutes}:{seconds:02d} left)\n"
        )
