"""The state of a sweep on disk: what is planned, which runs have ended, whether it is to stop."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from overnight.records.atomic import replacing
from overnight.records.naming import LENGTH, UNNAMED, by_key
from overnight.records.printable import printable_json
from overnight.records.record import refuse_foreign

PLAN = "sweep.json"
ENDED = ".ended"
STOPPED = ".stopped"


class Plan(NamedTuple):
    """What is known of a sweep at its start."""

    started: float  # seconds since the epoch (of the calendar)
    total: int | None  # the number of its runs; None where only Hydra can count them
    command: str  # goes on with it after an interruption
    common: Sequence[str] = ()  # overrides that the first sweep in this folder fixed for all of its runs
    absent: Sequence[str] = ()  # keys of these that this sweep neither fixes nor sweeps
    swept: Sequence[str] = ()  # keys that this one sweeps
    in_groups: bool = False  # many runs end at once: how many have ended says little of the time left


def begin(
    directory: Path, total: int | None, command: str, fixed: Sequence[str] = (), swept: Sequence[str] = ()
) -> Plan:
    """Write the plan, and forget what an earlier start of this sweep left.

    All of its runs have the ``fixed`` overrides; the ``swept`` keys vary.

    Raises:
        FileExistsError: the directory holds files that no sweep wrote, and that this one would overwrite.
    """
    refuse_foreign_sweep(directory)
    earlier = read(directory)
    common = earlier.common if earlier else fixed
    absent = sorted(by_key(common).keys() - by_key(fixed).keys() - {*swept, *UNNAMED, LENGTH})
    directory.mkdir(parents=True, exist_ok=True)
    (directory / ENDED).write_text("", encoding="utf-8")
    (directory / STOPPED).unlink(missing_ok=True)
    return write(Plan(time.time(), total, command, common, absent, swept), directory)


def refuse_foreign_sweep(directory: Path) -> None:
    """Refuse a folder with files that no sweep wrote, and that one would overwrite (FileExistsError)."""
    refuse_foreign(directory, (PLAN, "results.csv"), ours=read(directory) is not None)


def write(plan: Plan, directory: Path) -> Plan:
    """Write the plan, and return it."""
    with replacing(directory / PLAN) as file:
        file.write(json.dumps(plan._asdict(), indent=1).encode() + b"\n")
    return plan


def note_groups(directory: Path, *, in_groups: bool) -> None:
    """Note whether the runs end in groups from now on."""
    if plan := read(directory):
        write(plan._replace(in_groups=in_groups), directory)


def read(directory: Path) -> Plan | None:
    """Return the plan, or None where no sweep has begun."""
    try:
        return Plan(**json.loads(printable_json((directory / PLAN).read_text(encoding="utf-8"))))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def note_end(directory: Path, name: str, *, new: bool) -> Counter[str]:
    """Note that a run of the sweep has ended, in whatever process; return the counts of ``ended``."""
    with (directory / ENDED).open("a", encoding="utf-8") as file:
        file.write(f"{'new' if new else 'old'} {name}\n")
    return Counter(ended(directory).values())


def ended(directory: Path) -> dict[str, str]:
    """Return the names of the runs that have ended since the sweep began, each with "new" or "old".

    An old one was recorded before the sweep began; it was not run again.
    """
    try:
        lines = (directory / ENDED).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return {name: age for age, _, name in (line.partition(" ") for line in lines)}


def time_left(plan: Plan, counts: Counter[str]) -> str:
    """Return how long the other runs will take if they end one by one as those so far; "" if unknown."""
    left = (plan.total or 0) - counts.total()
    if plan.in_groups or counts["new"] < 1 or left < 1:
        return ""
    minutes, seconds = divmod(round((time.time() - plan.started) / counts["new"] * left), 60)
    return f"  ({minutes}:{seconds:02d} left)"


def stop(directory: Path) -> None:
    """Let no further run of this sweep start."""
    (directory / STOPPED).touch()


def stopped(directory: Path) -> bool:
    """Tell whether no further run is to start."""
    return (directory / STOPPED).exists()


def name_job(directory: Path, number: int) -> tuple[str, str]:
    """Return what tells this start of the sweep from others, and the job from others in it."""
    plan = read(directory)
    return (str(plan.started), str(number)) if plan else ("", "")
