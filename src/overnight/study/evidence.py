"""All that a report is made of: the runs of one or several sweeps, and the tables computed from them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from overnight.config.commands import command
from overnight.records import sweep_state
from overnight.records.sweep_state import PLAN
from overnight.study.arms import arms, settings, winners
from overnight.study.design import Design, declared, design, labelled, legible, refuse_constant
from overnight.study.differences import differences
from overnight.study.effort import budgets
from overnight.study.frames import HISTORY, histories, load, unreadable

CONFIRMS = "study.confirms"


def computed(table: Callable[[pd.DataFrame, Design], pd.DataFrame]) -> "cached_property[pd.DataFrame]":
    """Return a property of ``Evidence``: this table of its runs, computed when it is first asked for."""
    return cached_property(lambda evidence: table(evidence.runs, evidence.plan))


@dataclass(frozen=True)
class Evidence:
    """The records of a study, and their tables, made by the functions of the same names."""

    directories: tuple[Path, ...]
    runs: pd.DataFrame  # of frames.load, those that confirm others left out
    confirming: pd.DataFrame  # runs that repeat the winners of a sweep with fresh seeds; may be empty
    histories: pd.DataFrame  # of frames.histories, of all runs
    unreadable: pd.DataFrame  # of frames.unreadable
    plan: Design
    guessed: bool  # the study declares no question, and none was given

    labelled = computed(labelled)
    settings = computed(settings)
    arms = computed(arms)
    winners = computed(winners)
    differences = computed(differences)
    budgets = computed(budgets)

    @cached_property
    def confirmation(self) -> "Evidence | None":
        """Return the same of the runs that repeat the winners; None if there are none."""
        if self.confirming.empty:
            return None
        plan = replace(self.plan, replicates=("seed",))
        return replace(self, runs=self.confirming, confirming=self.confirming[:0], plan=plan)

    @cached_property
    def unfinished(self) -> list[str]:
        """Say of each sweep at or below the directories how many of its planned runs are missing, if any.

        The plan has their number and not their names. A record counts if the sweep has met it since it
        began, or if the sweep's own command made it.
        """
        runs, said = merged([self.runs, self.confirming]), []
        sweeps = sorted({path.parent for each in self.directories for path in each.rglob(PLAN)})
        plans = {sweep: plan for sweep in sweeps if (plan := sweep_state.read(sweep)) and plan.total}
        for sweep, plan in plans.items():
            copies = [other for other, its in plans.items() if its == plan]  # of the folder, each with some
            here = runs[[not {*Path(path).parents}.isdisjoint(copies) for path in runs["path"]]]
            met = here["name"].isin(sweep_state.ended(sweep)) | here["command"].eq(plan.command)
            missing = (plan.total or 0) - met.sum()
            are = "is" if missing == 1 else "are"
            if missing > 0 and sweep == copies[0]:
                said.append(
                    f"{sweep} is not finished: of {plan.total} planned runs, {missing} {are} missing."
                )
        return said

    @property
    def final(self) -> str:
        """Return what confirmed winners are compared by: ``test``, or ``score`` without a test set."""
        return "test" if self.arms["test"].notna().any() else "score"

    @cached_property
    def final_differences(self) -> pd.DataFrame:
        """See ``differences.differences``; of the ``final`` result. For runs on which nothing was chosen."""
        return differences(self.runs, self.plan, self.final)

    @property
    def rivals(self) -> pd.DataFrame:
        """Return the ``differences`` between the best arm and each other one."""
        return self.differences[self.differences["a"].eq(self.arms["arm"].iloc[0])]

    @property
    def sampling(self) -> tuple[int, float] | None:
        """Return the number of validation samples, and half the 95 % interval that it leaves the best arm.

        None if the number is not known, or the score is no share.
        """
        samples = self.winners["val samples"].max()
        half = self.plan.score.sampling(self.arms["score"].head(1), samples)
        return (int(samples), float(half.iloc[0])) if half.notna().all() else None

    @cached_property
    def compared(self) -> dict[Any, dict[Any, str]]:
        """Return the scientific hyperparameters of each arm, as text."""
        table = self.arms.set_index("arm")[list(self.plan.scientific)]
        return table.map(legible).to_dict("index")

    @property
    def logged(self) -> list[str]:
        """Return the names of all metrics that the runs logged."""
        return [str(name) for name in self.histories.columns.difference(HISTORY, sort=False)]

    @property
    def varied(self) -> tuple[str, ...]:
        """Return the hyperparameters that differ between the runs: scientific ones first, no replicates."""
        return (*self.plan.scientific, *self.plan.nuisance)


def gather(directories: Sequence[Path], scientific: tuple[str, ...] = ()) -> Evidence:
    """Read all records at or below the directories; what lies below two of them counts once.

    ``scientific`` is the question, if it is not what the study declares.

    Raises:
        FileNotFoundError: a directory does not exist, or no record can be read in any of them.
        ValueError: see ``design``; or runs confirm another sweep than those that are given.
    """
    read = originals(merged([load(directory) for directory in directories]))
    broken = merged([unreadable(directory) for directory in directories])
    if read.empty:
        where = ", ".join(map(str, directories))
        damaged = f" ({len(broken)} cannot be read, {broken['path'].iloc[0]} for one)" if len(broken) else ""
        raise FileNotFoundError(
            f"{where}: there is no record of a run here{damaged}. Needed: the folder of a sweep or a run. "
            f"Type for example: python report.py outputs/sweeps/optimizers"
        )
    confirmed = read.get(CONFIRMS, pd.Series(index=read.index, dtype=object))
    again = confirmed.notna() & bool(confirmed.isna().any())  # no, if the confirming runs alone are given
    below = (path.parent for directory in directories for path in directory.rglob(PLAN))
    names = {directory.resolve().name for directory in (*directories, *below)}  # sweeps are moved
    others = {text for text in confirmed[again] if Path(text).name not in names}
    if others:
        example = command("report.py", first := min(others), f"{first}-confirm")
        raise ValueError(
            f"there are runs here that confirm {', '.join(sorted(others))}, which is not given. Needed: a "
            f"sweep and the runs that confirm it. Type for example: {example}"
        )
    curves = merged([histories(folder) for folder in directories], ["path", "epoch"])
    runs, curves = read[~again], curves[curves["path"].isin(read["path"])]
    guessed = not scientific and not declared(runs)
    plan = design(runs, scientific)
    if scientific:
        refuse_constant(runs, plan)
    return Evidence(tuple(directories), runs, read[again], curves, broken, plan, guessed)


def originals(runs: pd.DataFrame) -> pd.DataFrame:
    """Leave out copies of a run's folder: their records are equal, down to the seconds that it took."""
    return runs[~runs.drop(columns="path", errors="ignore").astype(str).duplicated()]


def merged(tables: list[pd.DataFrame], keys: Sequence[str] = ("path",)) -> pd.DataFrame:
    """Join the rows of all tables, each once; the types of columns that are empty in one are the others'."""
    filled = [table for table in tables if not table.empty] or tables[:1]
    return pd.concat(filled, ignore_index=True).drop_duplicates(list(keys), ignore_index=True)
