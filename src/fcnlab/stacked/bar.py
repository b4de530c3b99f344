"""How far a stacked sweep is: a bar over all epochs of all groups, and a line for each group."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from fcnlab.stacked.lockstep import Tell


class Bar:
    """Counts models x epochs. It moves on a terminal only, and hides while runs are recorded.

    Args:
        work: models x epochs of each group.
    """

    def __init__(self, work: Sequence[int]) -> None:
        console = Console()
        self._progress = Progress(
            TextColumn("group {task.fields[group]}, epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("{task.fields[speed]:.1f} models x epochs/s"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            refresh_per_second=2,
            disable=not console.is_terminal,
        )
        self._bar = self._progress.add_task("", total=sum(work), group="1", epoch=0, speed=0.0)
        self._work = work
        self._done, self._seconds = 0, 0.0

    @contextmanager
    def group(self, number: int) -> Iterator[Tell]:
        """Show the bar while group ``number``, from 0, is trained; say at its end how fast it was."""
        start, before, done = time.perf_counter(), self._seconds, self._done
        self._progress.update(self._bar, group=f"{number + 1}/{len(self._work)}")
        self._progress.start()

        def tell(epoch: int, members: int) -> None:
            self._done += members
            self._seconds = before + time.perf_counter() - start
            self._progress.update(
                self._bar, completed=self._done, epoch=epoch, speed=self._done / self._seconds
            )

        try:
            yield tell
        finally:
            self._progress.stop()
        self._seconds = before + time.perf_counter() - start
        trained = self._done - done  # less than planned where members stopped early
        self._done = sum(self._work[: number + 1])
        minutes, rest = divmod((sum(self._work) - self._done) * self._seconds / self._done, 60)
        took = self._seconds - before
        sys.stdout.write(
            f"group {number + 1}/{len(self._work)}: {trained} models x epochs in {took:.1f} s, "
            f"{trained / took:.1f} a second ({minutes:.0f}:{rest:02.0f} left)\n"
        )
