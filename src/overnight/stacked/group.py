"""A group of runs, trained together and recorded, in whatever process."""

import gc
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import torch
from hydra.core.utils import JobReturn

from overnight.launchers.workers import Hear
from overnight.records import sweep_state
from overnight.records.lock import locked
from overnight.records.record import claim
from overnight.stacked.bar import Epoch, Trained
from overnight.stacked.check import check
from overnight.stacked.delivery import Delivery
from overnight.stacked.gates import obstacles
from overnight.stacked.grouping import Run, by, shared_out
from overnight.stacked.loop import StackedLoop, Tell
from overnight.stacked.measurement import measure
from overnight.stacked.member import Member
from overnight.stacked.pace import refuse_if_slow
from overnight.stacked.proof import choices_of, differences, kind_of

log = logging.getLogger(__name__)

OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)

Built = tuple[Run, Member]
Result = tuple[Run, Delivery]


def train_and_record(number: int, runs: Sequence[Run], tell: Hear) -> list[JobReturn | str]:
    """Train the runs of a group and record them; return their results, and tell how far it is.

    A run that is left out has the reason instead: it is run the ordinary way, and there waits or fails as
    runs of their own do. The ``number`` is that of the group in the sweep, from 0.
    """
    reasons: dict[Run, str] = {}
    with ExitStack() as locks:
        held = [run for run in runs if available(run, locks)]
        trained = train(held, lambda epoch, members: tell(Epoch(number, epoch, members)), reasons)
        tell(Trained(number))
        results = {run: delivery.execute(run.job) for run, delivery in trained}
    del trained
    gc.collect()  # trainers refer to themselves: else groups pile up
    for reason, count in Counter(reasons.values()).items():
        log.warning("the ordinary way: %d (%s)", count, reason)
    return [results.get(run, reasons.get(run, "")) for run in runs]


def available(run: Run, locks: ExitStack) -> bool:
    """Tell whether a run is still to be done, and hold its directory if it is."""
    sweep, folder = Path(run.job.config.hydra.sweep.dir), run.directory
    folder.mkdir(parents=True, exist_ok=True)
    if sweep_state.stopped(sweep) or not locks.enter_context(locked(folder, wait=False)) or run.recorded:
        return False
    return not claim(folder, *sweep_state.name_job(sweep, run.job.config.hydra.job.num))


def train(runs: Sequence[Run], tell: Tell, reasons: dict[Run, str]) -> list[Result]:
    """Train the runs, those of a kind together; note the reasons of those that are left out."""
    kinds = by(built(runs, reasons), key=lambda pair: kind_of(pair[1]))
    return [result for alike in kinds for result in train_kind(alike, tell, reasons)]


def train_kind(alike: Sequence[Built], tell: Tell, reasons: dict[Run, str]) -> list[Result]:
    """Train runs of one kind; if the memory does not suffice, one half of them after the other.

    Whatever else goes wrong, none of them has been trained: an ordinary run will show whose error it is.
    """
    runs = [run for run, _ in alike]
    try:
        return proven(alike, tell, reasons)
    except ConnectionError:  # the parent is gone
        raise
    except OUT_OF_MEMORY:
        log.warning("not enough memory for %d runs at a time", len(runs))
    except Exception as error:
        log.debug("%d runs cannot be stacked", len(runs), exc_info=error)
        reasons |= dict.fromkeys(runs, str(error) or type(error).__name__)
        return []
    halves = shared_out(runs, parts=2) if len(runs) > 1 else []
    return [result for half in halves for result in train(half, tell, reasons)]


def built(runs: Sequence[Run], reasons: dict[Run, str]) -> Iterator[Built]:
    """Build the members, and leave out those that ask for what stacked training does not do.

    One that cannot be built fails when it is run the ordinary way.
    """
    for run in runs:
        try:
            member = Member(run.judged.config, run.directory)
        except Exception as error:  # noqa: BLE001 - whatever it is: the ordinary run records it
            reasons[run] = f"cannot be built: {error}"
            continue
        if found := list(obstacles(member)):
            reasons[run] = ", ".join(found)
        else:
            yield run, member


def proven(alike: Sequence[Built], tell: Tell, reasons: dict[Run, str]) -> list[Result]:
    """Train members together if there are several, those whose optimizer is proven to work that way."""
    kinds = {run: choices_of(member) + kind_of(member) for run, member in alike}
    found = differences({kind: run for run, kind in reversed(kinds.items())})
    reasons |= {run: found[kind] for run, kind in kinds.items() if found[kind]}
    held = [(run, member) for run, member in alike if run not in reasons]
    if len(held) == 1:
        reasons[held[0][0]] = "no other of its kind"
    return fit(held, tell) if len(held) > 1 else []


def fit(built: Sequence[Built], tell: Tell) -> list[Result]:
    """Train members from the beginning to the end, and measure what they saved."""
    members = [member for _, member in built]
    loop = StackedLoop(members, check)
    refuse_if_slow(loop)
    loop.fit(tell)
    measured = measure(loop, members)
    return [
        (run, Delivery(member, measured[place], others=len(members) - 1, first=not place))
        for place, (run, member) in enumerate(built)
    ]
