"""A sweep whose runs are trained together, in groups side by side, as far as they can be."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from hydra.core.utils import JobReturn

from overnight.config.errors import counted
from overnight.config.resolvers import threads_each
from overnight.launchers.job import Job, outlive
from overnight.launchers.workers import Start, submitting, workers
from overnight.records import sweep_state
from overnight.records.record import Record
from overnight.records.sources import edited, sources
from overnight.runs.run import score
from overnight.stacked.bar import Bar
from overnight.stacked.group import Aside, Group
from overnight.stacked.grouping import Run, groups, look_at
from overnight.stacked.limits import Limits, parameters
from overnight.stacked.news import Trained

Results = dict[Run, JobReturn]


def launch(jobs: Sequence[Job], limits: Limits) -> list[JobReturn]:
    """Run all jobs, those that can be in groups; return their results in order.

    What was recorded before comes first, then the groups, and last what is run the ordinary way.
    """
    runs = [look_at(job) for job in jobs]
    recorded = {run: record for run in runs if (record := run.recorded)}
    fresh = [run for run in runs if run not in recorded]
    fit = [run for run in fresh if not run.alone]
    beside = limits.side_by_side([run.config for run in fit])
    together = [group for group in groups(fit, limits, beside) if len(group) > 1]
    sys.stdout.write(plan(runs, fresh, together) + of_other_code(recorded))
    results = {run: run.job.recorded(score(record)) for run, record in recorded.items()}
    reasons = {run: why_in_no_group(run) for run in fresh}
    with sweep_state.in_groups(Path(jobs[0].config.hydra.sweep.dir)):
        results |= train(together, beside, reasons)
    rest = [run for run in runs if run not in results]
    at_a_time = limits.at_a_time([run.config for run in rest if run.config])
    alone = [replace(run.job, why_alone=reasons[run]) for run in rest]
    results |= zip(rest, run_ordinarily(alone, at_a_time), strict=True)
    return [results[run] for run in runs]


def why_in_no_group(run: Run) -> str:
    """Return why a run is trained the ordinary way, if it is."""
    return run.alone or "no other of its kind, or no memory for two"


def plan(runs: Sequence[Run], fresh: Sequence[Run], together: Sequence[Sequence[Run]]) -> str:
    """Say how many groups there are, of what size, and why some runs are in none."""
    sizes = Counter(len(group) for group in together)
    listed = ", ".join(f"{number} of {size}" for size, number in sorted(sizes.items(), reverse=True))
    groups_of = f"group{'s' * (len(together) != 1)}" + (f" ({listed})" if together else "")
    stacked = {run for group in together for run in group}
    others = [run for run in fresh if run not in stacked]
    reasons = Counter(map(why_in_no_group, others))
    lines = [
        f"stacked: {counted(len(stacked), 'run')} in {len(together)} {groups_of}",
        *(f"the ordinary way: {number} ({reason})" for reason, number in reasons.items()),
        *([f"recorded before: {len(runs) - len(fresh)}"] if len(fresh) < len(runs) else []),
    ]
    return "\n".join(lines) + "\n"


def of_other_code(recorded: dict[Run, Record]) -> str:
    """Name the modules that have changed since runs were recorded that are not run again; "" if none has."""
    pairs = ((record.get("sources"), sources(run.config)) for run, record in recorded.items())
    other = sorted({name for before, now in pairs for name in edited(before, now)})
    return f"  of other code: {', '.join(other)} changed since; see docs/records.md\n" if other else ""


def train(together: Sequence[Sequence[Run]], beside: int, reasons: dict[Run, str]) -> Results:
    """Train and record the groups; of runs that could not be, note the reasons."""
    results: Results = {}
    beside = min(beside, len(together))
    tasks = [Group(number, group) for number, group in enumerate(together)]
    work = [sum(run.epochs for run in group) for group in together]
    costs = [parameters(group[0].config) for group in together]
    with Bar(work, costs) as bar, side_by_side(beside) as start:
        aside = tasks if beside == 1 else [Aside(task) for task in tasks]
        for task, finished in zip(tasks, start(aside, bar.hear), strict=True):
            try:
                ended = finished()
            except Exception as error:  # noqa: BLE001 - whatever it is, the runs are left to run alone
                bar.hear(f"group {task.number + 1}: {error}; its runs are run the ordinary way\n")
                bar.hear(Trained(task.number))
                ended = [str(error)] * len(task.runs)
            for run, end in zip(task.runs, ended, strict=True):
                if isinstance(end, str):
                    reasons[run] = end
                else:
                    results[run] = end
    return results


def run_ordinarily(jobs: list[Job], beside: int) -> list[JobReturn]:
    """Run jobs each by itself, so many side by side."""
    with side_by_side(min(beside, len(jobs))) as start:
        return outlive(jobs, submitting(start))


@contextmanager
def side_by_side(number: int) -> Iterator[Start]:
    """Do so many tasks at a time, with the cores divided among them; one at a time, in this process."""
    if number > 1:
        with workers(number, threads_each(number)) as start:
            yield start
    else:
        yield lambda tasks, hear: [partial(task, hear) for task in tasks]
