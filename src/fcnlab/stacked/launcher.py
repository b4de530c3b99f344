"""A sweep whose runs are trained in lockstep, in groups side by side, as far as they can be."""

import logging
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

import torch
from hydra.core.utils import JobReturn

from fcnlab import sweep
from fcnlab.launchers.job import Job, outlive
from fcnlab.launchers.processes import run as run_alone
from fcnlab.launchers.workers import Start, workers
from fcnlab.resolvers import cores, threads_each
from fcnlab.run import score
from fcnlab.stacked.bar import Bar
from fcnlab.stacked.group import Aside, Group
from fcnlab.stacked.grouping import Limits, Run, groups, look_at

log = logging.getLogger(__name__)

GB = 1e9

Results = dict[Run, JobReturn]


def launch(jobs: Sequence[Job], n_jobs: int | None, max_members: int, memory_gb: float) -> list[JobReturn]:
    """Run all jobs, those that can be in groups; return their results in order.

    What was recorded before comes first, then the groups, and last what is run the ordinary way.
    """
    runs = [look_at(job) for job in jobs]
    recorded = {run: record for run in runs if (record := run.recorded)}
    fresh = [run for run in runs if run not in recorded]
    beside = n_jobs or at_a_time(fresh)
    limits = Limits(max_members, memory_gb * GB, beside)
    fit = groups([run for run in fresh if not run.alone], limits)
    together = [group for group in fit if len(group) > 1]
    sys.stdout.write(plan(runs, fresh, together))
    if together:
        sweep.go_in_groups(together[0][0].directory.parent)
    results = {run: run.job.recorded(score(record)) for run, record in recorded.items()}
    results |= train(together, beside)
    rest = [run for run in runs if run not in results]
    results |= zip(rest, run_ordinarily([run.job for run in rest], beside), strict=True)
    return [results[run] for run in runs]


def at_a_time(runs: Sequence[Run]) -> int:
    """Return how many groups are trained at a time: one on a GPU, else as many as there are cores."""
    on_cpu = all(run.config.get("trainer", {}).get("accelerator") == "cpu" for run in runs)
    return cores() if on_cpu or not torch.accelerator.is_available() else 1


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


def train(together: Sequence[Sequence[Run]], beside: int) -> Results:
    """Train and record the groups; those of a process that dies have no results."""
    results: Results = {}
    beside = min(beside, len(together))
    tasks = [Group(number, group) for number, group in enumerate(together)]
    with (
        Bar([sum(run.epochs for run in group) for group in together]) as bar,
        side_by_side(beside) as start,
    ):
        aside = tasks if beside == 1 else [Aside(task) for task in tasks]
        for group, finished in zip(together, start(aside, bar.hear), strict=True):
            try:
                of_members = finished()
            except ChildProcessError as error:
                log.warning("%d runs trained in lockstep are lost: %s", len(group), error)
                continue
            results |= {run: result for run, result in zip(group, of_members, strict=True) if result}
    return results


def run_ordinarily(jobs: list[Job], beside: int) -> list[JobReturn]:
    """Run jobs as they would be run without this launcher."""
    with side_by_side(min(beside, len(jobs))) as start:
        return outlive(jobs, lambda these: start([partial(run_alone, job) for job in these], print))


@contextmanager
def side_by_side(number: int) -> Iterator[Start]:
    """Do so many tasks at a time, with the cores divided among them; one at a time, in this process."""
    if number > 1:
        with workers(number, threads_each(number)) as start:
            yield start
    else:
        yield lambda tasks, hear: [partial(task, hear) for task in tasks]
