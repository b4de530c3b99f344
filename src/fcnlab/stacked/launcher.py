"""A sweep whose runs are trained in lockstep, group by group, as far as they can be."""

import gc
import logging
import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import torch
from hydra.core.utils import JobReturn

from fcnlab import sweep
from fcnlab.claim import claimed_if_free
from fcnlab.launchers.job import Job
from fcnlab.run import score
from fcnlab.stacked.bar import Bar
from fcnlab.stacked.delivery import Delivery
from fcnlab.stacked.grouping import Run, by, groups, look_at, shared_out
from fcnlab.stacked.lockstep import Lockstep, Tell
from fcnlab.stacked.measurement import measure
from fcnlab.stacked.member import Member

log = logging.getLogger(__name__)

GB = 1e9
OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)

Built = tuple[Run, Member]
Trained = tuple[Run, Delivery]


def launch(jobs: Sequence[Job], max_members: int, memory_gb: float) -> list[JobReturn]:
    """Run all jobs, those that can be in groups; return their results in order.

    What was recorded before comes first, then the groups, and last what is run the ordinary way.
    """
    runs = [look_at(job) for job in jobs]
    recorded = {run: record for run in runs if (record := run.recorded)}
    fresh = [run for run in runs if run not in recorded]
    fit = groups([run for run in fresh if not run.alone], max_members, memory_gb * GB)
    together = [group for group in fit if len(group) > 1]
    sys.stdout.write(plan(runs, fresh, together))
    results = {run: run.job.recorded(score(record)) for run, record in recorded.items()}
    gc.freeze()  # what is imported is not worth looking through after each group
    bar = Bar([sum(run.epochs for run in group) for group in together])
    for number, group in enumerate(together):
        results |= run_group(group, bar, number)
        gc.collect()  # trainers refer to themselves: else groups pile up
    return [results.get(run) or run.job.execute() for run in runs]


def plan(runs: Sequence[Run], fresh: Sequence[Run], together: Sequence[Sequence[Run]]) -> str:
    """Say how many groups there are, of what size, and why some runs are in none."""
    sizes = Counter(len(group) for group in together)
    listed = ", ".join(f"{number} of {size}" for size, number in sorted(sizes.items(), reverse=True))
    groups_of = f"group{'s' * (len(together) != 1)}" + (f" ({listed})" if together else "")
    stacked = {run for group in together for run in group}
    reasons = Counter(run.alone or "no other of its kind" for run in fresh if run not in stacked)
    lines = [
        f"stacked: {len(stacked)} runs in {len(together)} {groups_of}",
        *(f"the ordinary way: {number} ({reason})" for reason, number in reasons.items()),
        *([f"recorded before: {len(runs) - len(fresh)}"] if len(fresh) < len(runs) else []),
    ]
    return "\n".join(lines) + "\n"


def run_group(group: Sequence[Run], bar: Bar, number: int) -> dict[Run, JobReturn]:
    """Train a group and record its runs; return their results.

    A run that is left out has none: whatever the reason is, it is run the ordinary way, and there waits or
    fails as runs of their own do.
    """
    with ExitStack() as claims:
        held = [run for run in group if available(run, claims)]
        with bar.group(number) as tell:
            trained = train(held, tell)
        return {run: delivery.execute(run.job) for run, delivery in trained}


def available(run: Run, claims: ExitStack) -> bool:
    """Tell whether a run is still to be done, and hold its directory if it is."""
    run.directory.mkdir(parents=True, exist_ok=True)
    if sweep.stopped(run.directory.parent) or not claims.enter_context(claimed_if_free(run.directory)):
        return False
    return not run.recorded


def train(runs: Sequence[Run], tell: Tell) -> list[Trained]:
    """Train runs in lockstep; if the memory does not suffice, one half of them after the other.

    Whatever else goes wrong, none of them has been trained: an ordinary run will show whose error it is.
    """
    try:
        return [trained for alike in by(build(runs), key=sizes) for trained in fit(alike, tell)]
    except OUT_OF_MEMORY:
        log.warning("not enough memory for %d runs at a time", len(runs))
    except Exception as error:
        log.warning("%d runs cannot be trained in lockstep: %s", len(runs), error, exc_info=True)
        return []
    halves = shared_out(runs, math.ceil(len(runs) / 2)) if len(runs) > 1 else []
    return [trained for half in halves for trained in train(half, tell)]


def build(runs: Sequence[Run]) -> Iterator[Built]:
    """Build the members; one that cannot be built fails when it is run the ordinary way."""
    for run in runs:
        try:
            yield run, Member(run.config, run.directory)
        except Exception as error:  # noqa: BLE001 - whatever it is: the ordinary run records it
            log.debug("%s cannot be built: %s", run.directory.name, error)


def sizes(built: Built) -> tuple[int, ...]:
    """Return the numbers of images, which those of one batched network have in common."""
    _, member = built
    return len(member.data.split.train), len(member.data.split.val), len(member.data.test.labels)


def fit(built: Sequence[Built], tell: Tell) -> list[Trained]:
    """Train members from the beginning to the end, and measure what they saved."""
    members = [member for _, member in built]
    lockstep = Lockstep(members)
    lockstep.fit(tell)
    return [
        (run, Delivery(member, measured, others=len(members) - 1))
        for (run, member), measured in zip(built, measure(lockstep, members), strict=True)
    ]
