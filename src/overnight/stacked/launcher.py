"""A sweep whose runs are trained together, in groups side by side, as far as they can be."""

import io
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, configure_log, setup_globals

from overnight.config.errors import ConfigError, counted
from overnight.config.resolvers import threads_each
from overnight.launchers.job import Job, outlive
from overnight.launchers.workers import Hear, Start, submitting, workers
from overnight.records import sweep_state
from overnight.records.record import Record, edited, score
from overnight.stacked.bar import Bar, Trained
from overnight.stacked.grouping import Judged, Run, groups, look_at
from overnight.stacked.limits import Limits

Results = dict[Run, JobReturn]


def launch(jobs: Sequence[Job], limits: Limits) -> list[JobReturn]:
    """Run all jobs, those that can be in groups; return their results in order.

    What was recorded before comes first, then the groups, and last what is run the ordinary way. Evaluations
    are refused (ConfigError).
    """
    if "task" not in jobs[0].config:
        raise ConfigError("hydra/launcher=stacked: here is nothing to train. Type: hydra/launcher=joblib")
    aside = limits.aside(len(jobs))
    runs = judged(jobs, aside=aside)
    recorded = {run: record for run in runs if (record := run.recorded)}
    fresh = [run for run in runs if run not in recorded]
    fit = [run for run in fresh if not run.judged.alone]
    on_cpu = all(run.judged.on_cpu for run in fresh)
    beside = limits.side_by_side([run.judged.memory for run in fit], on_cpu=on_cpu)
    together = [group for group in groups(fit, limits, beside) if len(group) > 1]
    sys.stdout.write(plan(runs, fresh, together) + of_other_code(recorded))
    results = {run: run.job.recorded(score(record)) for run, record in recorded.items()}
    reasons = {run: why_in_no_group(run) for run in fresh}
    sweep = Path(jobs[0].config.hydra.sweep.dir)
    sweep_state.note_groups(sweep, in_groups=True)
    results |= train(together, beside, reasons, aside=aside)
    sweep_state.note_groups(sweep, in_groups=False)
    rest = [run for run in runs if run not in results]
    alone = [replace(run.job, why_alone=reasons[run]) for run in rest]
    results |= zip(rest, run_ordinarily(alone, limits.at_a_time(on_cpu=on_cpu)), strict=True)
    return [results[run] for run in runs]


def judged(jobs: Sequence[Job], *, aside: bool) -> list[Run]:
    """Find out which jobs can be stacked: where torch is imported for their training, too."""
    looked = [look_at(job) for job in jobs]
    with side_by_side(1, aside=aside) as start:
        (finished,) = start([partial(judge, [(config, alone) for _, config, alone in looked])], print)
        known = finished()
    return [Run(job, folder, one) for job, (folder, *_), one in zip(jobs, looked, known, strict=True)]


def judge(looked: Sequence[tuple[dict[str, Any], str]], _: Hear) -> list[Judged]:
    """Find out which runs can be stacked; imports here, since the parent of other processes has no torch."""
    from overnight.stacked import judging  # noqa: PLC0415

    return [judging.judge(config, alone) for config, alone in looked]


def why_in_no_group(run: Run) -> str:
    """Return why a run is trained the ordinary way, if it is."""
    return run.judged.alone or "no other of its kind, or no memory for two"


def plan(runs: Sequence[Run], fresh: Sequence[Run], together: Sequence[Sequence[Run]]) -> str:
    """Say how many groups there are, of what size, and why some runs are in none."""
    sizes = Counter(len(group) for group in together)
    listed = ", ".join(f"{number} of {size}" for size, number in sorted(sizes.items(), reverse=True))
    grouped = counted(len(together), "group") + (f" ({listed})" if together else "")
    stacked = {run for group in together for run in group}
    others = [run for run in fresh if run not in stacked]
    reasons = Counter(map(why_in_no_group, others))
    lines = [
        *([f"stacked: {counted(len(stacked), 'run')} in {grouped}"] if fresh else []),
        *(f"the ordinary way: {number} ({reason})" for reason, number in reasons.items()),
        *([f"recorded before: {len(runs) - len(fresh)}"] if len(fresh) < len(runs) else []),
    ]
    return "\n".join(lines) + "\n"


def of_other_code(recorded: dict[Run, Record]) -> str:
    """Name the modules that have changed since runs were recorded that are not run again; "" if none has."""
    pairs = ((record.get("sources"), run.judged.sources) for run, record in recorded.items())
    other = sorted({name for before, now in pairs for name in edited(before, now)})
    return f"  of other code: {', '.join(other)} changed since; see docs/records.md\n" if other else ""


def train(together: Sequence[Sequence[Run]], beside: int, reasons: dict[Run, str], *, aside: bool) -> Results:
    """Train and record the groups; of runs that could not be, note the reasons."""
    results: Results = {}
    tasks = [partial(train_aside if aside else train_here, *numbered) for numbered in enumerate(together)]
    work = [len(group) * group[0].judged.config["trainer"]["max_epochs"] for group in together]
    costs = [group[0].judged.parameters for group in together]
    with Bar(work, costs) as bar, side_by_side(min(beside, len(together)), aside=aside) as start:
        for number, finished in enumerate(start(tasks, bar.hear)):
            try:
                ended = finished()
            except Exception as error:  # noqa: BLE001 - whatever it is, the runs are left to run alone
                bar.hear(f"group {number + 1}: {error}; its runs are run the ordinary way\n")
                bar.hear(Trained(number))
                ended = [str(error)] * len(together[number])
            for run, end in zip(together[number], ended, strict=True):
                if isinstance(end, str):
                    reasons[run] = end
                else:
                    results[run] = end
    return results


def train_here(number: int, runs: Sequence[Run], tell: Hear) -> list[JobReturn | str]:
    """Train and record a group; imports here, since the parent of other processes has no torch."""
    from overnight.stacked.group import train_and_record  # noqa: PLC0415

    return train_and_record(number, runs, tell)


def train_aside(number: int, runs: Sequence[Run], tell: Hear) -> list[JobReturn | str]:
    """Do the same in a process that has no terminal of its own: what it prints it tells."""
    setup_globals()  # nothing was composed in this process, and the clock may name the sweep's folder
    hydra = runs[0].job.config.hydra
    with redirect_stdout(Printed(tell)):
        configure_log(hydra.hydra_logging, hydra.verbose)
        return train_here(number, runs, tell)


class Printed(io.TextIOBase):
    """Tells what is printed."""

    def __init__(self, hear: Hear) -> None:
        self.hear = hear

    def write(self, text: str) -> int:
        """Tell it."""
        self.hear(text)
        return len(text)


def run_ordinarily(jobs: list[Job], beside: int) -> list[JobReturn]:
    """Run jobs each by itself, so many side by side."""
    beside = min(beside, len(jobs))
    with side_by_side(beside, aside=beside > 1) as start:
        return outlive(jobs, submitting(start))


@contextmanager
def side_by_side(number: int, *, aside: bool) -> Iterator[Start]:
    """Do so many tasks at a time in other processes, which share the cores; or one, in this one."""
    if aside and number:
        with workers(number, threads_each(number)) as start:
            yield start
    else:
        yield lambda tasks, hear: [partial(task, hear) for task in tasks]
