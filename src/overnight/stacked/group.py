"""A group of runs, trained in lockstep and recorded, in whatever process."""

import gc
import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import torch
from hydra.core.utils import JobReturn, configure_log

from overnight.launchers.workers import Hear
from overnight.records import sweep_state
from overnight.records.lock import locked_if_free
from overnight.stacked.delivery import Delivery
from overnight.stacked.grouping import Run, by, shared_out
from overnight.stacked.lockstep import Lockstep, Tell
from overnight.stacked.measurement import measure
from overnight.stacked.member import Member
from overnight.stacked.news import Epoch, Trained

log = logging.getLogger(__name__)

OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)

Built = tuple[Run, Member]
Result = tuple[Run, Delivery]


@dataclass(frozen=True)
class Group:
    """What is trained together.

    Args:
        number: among the groups of the sweep, from 0.
        runs: its members.
    """

    number: int
    runs: Sequence[Run]

    def __call__(self, tell: Hear) -> list[JobReturn | str]:
        """Train the runs and record them; return their results.

        A run that is left out has the reason instead: it is run the ordinary way, and there waits or fails as
        runs of their own do.
        """
        reasons: dict[Run, str] = {}
        with ExitStack() as locks:
            held = [run for run in self.runs if available(run, locks)]
            trained = train(held, lambda epoch, members: tell(Epoch(self.number, epoch, members)), reasons)
            tell(Trained(self.number))
            results = {run: delivery.execute(run.job) for run, delivery in trained}
        del trained
        gc.collect()  # trainers refer to themselves: else groups pile up
        return [results.get(run, reasons.get(run, "")) for run in self.runs]


@dataclass(frozen=True)
class Aside:
    """A group in a process that has no terminal of its own: what it prints it tells."""

    group: Group

    def __call__(self, tell: Hear) -> list[JobReturn | str]:
        """Do what the group does."""
        hydra = self.group.runs[0].job.config.hydra
        with redirect_stdout(Printed(tell)):
            configure_log(hydra.hydra_logging, hydra.verbose)
            return self.group(tell)


class Printed(io.TextIOBase):
    """Tells what is printed."""

    def __init__(self, hear: Hear) -> None:
        self.hear = hear

    def write(self, text: str) -> int:
        """Tell it."""
        self.hear(text)
        return len(text)


def available(run: Run, locks: ExitStack) -> bool:
    """Tell whether a run is still to be done, and hold its directory if it is."""
    run.directory.mkdir(parents=True, exist_ok=True)
    if sweep_state.stopped(Path(run.job.config.hydra.sweep.dir)):
        return False
    return locks.enter_context(locked_if_free(run.directory)) and not run.recorded


def train(runs: Sequence[Run], tell: Tell, reasons: dict[Run, str]) -> list[Result]:
    """Train runs in lockstep; if the memory does not suffice, one half of them after the other.

    Whatever else goes wrong, none of them has been trained, and the reason is noted: an ordinary run will
    show whose error it is.
    """
    try:
        return [result for alike in by(build(runs), key=sizes) for result in fit(alike, tell)]
    except ConnectionError:  # the parent is gone
        raise
    except OUT_OF_MEMORY:
        log.warning("not enough memory for %d runs at a time", len(runs))
    except Exception as error:
        log.warning("%d runs cannot be trained in lockstep: %s", len(runs), error)
        log.debug("they cannot be trained in lockstep", exc_info=error)
        reasons |= dict.fromkeys(runs, str(error) or type(error).__name__)
        return []
    halves = shared_out(runs, parts=2) if len(runs) > 1 else []
    return [result for half in halves for result in train(half, tell, reasons)]


def build(runs: Sequence[Run]) -> Iterator[Built]:
    """Build the members; one that cannot be built fails when it is run the ordinary way."""
    for run in runs:
        try:
            yield run, Member(run.config, run.directory)
        except Exception as error:  # noqa: BLE001 - whatever it is: the ordinary run records it
            log.debug("%s cannot be built: %s", run.directory.name, error)


def sizes(built: Built) -> tuple[int, ...]:
    """Return the numbers of samples, which those of one batched network have in common."""
    _, member = built
    return len(member.data.split.train), len(member.data.split.val), len(member.data.test.targets)


def fit(built: Sequence[Built], tell: Tell) -> list[Result]:
    """Train members from the beginning to the end, and measure what they saved."""
    members = [member for _, member in built]
    lockstep = Lockstep(members)
    lockstep.fit(tell)
    return [
        (run, Delivery(member, measured, others=len(members) - 1))
        for (run, member), measured in zip(built, measure(lockstep, members), strict=True)
    ]
