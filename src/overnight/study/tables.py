"""The tables of a report as a reader sees them: all is text, numbers rounded to what they are worth."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from overnight.study.design import labelled, legible, short
from overnight.study.evidence import Evidence
from overnight.study.intervals import half_width
from overnight.study.phrases import kind, legible_p, mean_std
from overnight.study.words import against, best_arm

GROUPS = ("model", "optimizer", "regularization", "init")
"""Always columns of the central table, for they say what was trained."""

MOST = 5  # arms: of more, only the comparisons with the best one are listed


class Table(NamedTuple):
    """A table with what stands above it.

    Args:
        name: for references.
        title: in a few words.
        caption: how to read it.
        cells: text; no index.
        settings: the columns that are settings; where one is the same in all rows, paper has no room for it.
    """

    name: str
    title: str
    caption: str
    cells: pd.DataFrame
    settings: tuple[str, ...] = ()


def results(evidence: Evidence) -> list[Table]:
    """Return the tables for a paper that have any row, the central one first."""
    again = evidence.confirmation
    repeated = [confirmed(again), compared_again(again)] if again else []
    made = [central(evidence), *repeated, compared(evidence), budget(evidence)]
    return [table for table in made if len(table.cells)]


def problems(evidence: Evidence) -> list[Table]:
    """Return what did not end well, run by run."""
    return [table for table in (lost(evidence), broken(evidence)) if len(table.cells)]


def central(evidence: Evidence) -> Table:
    """Return an arm a row: what it is, its accuracies, its size."""
    plan, arms = evidence.plan, evidence.arms
    typical = labelled(evidence.runs, plan).groupby("arm").first()
    typical = typical.reindex(index=arms["arm"], columns=[*GROUPS, "parameters"]).reset_index(drop=True)
    columns = {key: texts(arms[key]) for key in evidence.varied}
    columns |= {
        score(evidence): spread(arms, "val/acc"),
        "95 %": intervals(arms["val/acc low"], arms["val/acc high"]),
        "n": texts(arms["n"]),
        "test/acc": spread(arms, "test/acc"),
        "train/acc": spread(arms, "train/acc"),
        "parameters": [f"{size:,}" if pd.notna(size) else "" for size in typical["parameters"]],
    }
    columns |= {key: texts(typical[key]) for key in GROUPS if key not in columns}
    caption = (
        f"Each arm with the setting that had the highest mean validation accuracy; ± is the standard "
        f"deviation over n {kind(plan)}, 95 % the interval of the mean validation accuracy. Train and test "
        f"are measured with the weights of the best epoch on validation."
    )
    return Table("central", "Results", caption, pd.DataFrame(columns), settings=(*evidence.varied, *GROUPS))


def score(evidence: Evidence) -> str:
    """Return what the mean validation accuracy is called."""
    return "CV score (val/acc)" if "data.fold" in evidence.plan.replicates else "val/acc"


def confirmed(evidence: Evidence) -> Table:
    """Return the winners, trained again."""
    arms = evidence.arms.dropna(subset="setting").sort_values("test/acc", ascending=False)
    half = half_width(arms["test/acc std"], arms["n"], shared=0.0)
    columns = {
        head(evidence): named(evidence, arms["arm"]),
        "setting": texts(arms["setting"]),
        "test/acc": spread(arms, "test/acc"),
        "95 %": intervals(arms["test/acc"] - half, arms["test/acc"] + half),
        "n": texts(arms["n"]),
        "val/acc": spread(arms, "val/acc"),
    }
    caption = (
        "The winners again, with fresh seeds. Their test accuracies took no part in any choice: these are "
        "the figures to publish, with the 95 % interval over the seeds. Validation still flatters: its "
        "images chose the settings and the epochs."
    )
    return Table("confirmed", "Confirmation", caption, pd.DataFrame(columns), settings=("setting",))


def compared(evidence: Evidence) -> Table:
    """Return the differences between the arms, or between the best and each other one."""
    rows, best = evidence.differences, best_arm(evidence)
    few = len(evidence.arms) <= MOST
    if not few and best:
        rows = against(evidence, best["arm"])
    which = "Every two arms" if few else "The best arm and each other one"
    caption = f"{which}, validation accuracy. {holm(evidence.differences)}"
    return Table("differences", "Differences", caption, pairs(evidence, rows))


def compared_again(evidence: Evidence) -> Table:
    """Return the differences between winners that were trained again, on the test images."""
    rows = evidence.test_differences
    caption = f"Every two of the winners trained again, test accuracy. {holm(rows)}"
    return Table("confirmed_differences", "Differences, confirmed", caption, pairs(evidence, rows))


def holm(rows: pd.DataFrame) -> str:
    """Explain the columns of ``pairs``."""
    return (
        f"The p-values of Holm are corrected for all {int(rows['p'].notna().sum())} comparisons that can be "
        f"tested; the interval is that of a single comparison. Significant: p (Holm) below 0.05."
    )


def pairs(evidence: Evidence, rows: pd.DataFrame) -> pd.DataFrame:
    """Write differences between arms as text."""
    columns = {
        "arm": named(evidence, rows["a"]),
        "compared with": named(evidence, rows["b"]),
        "difference": [f"{value:+.4f}" for value in rows["difference"]],
        "95 %": intervals(rows["low"], rows["high"]),
        "p": [legible_p(p) for p in rows["p"]],
        "p (Holm)": [legible_p(p) for p in rows["p holm"]],
        "significant": ["yes" if different else "no" for different in rows["different"]],
        "test": [f"{method}, n={n}" for method, n in zip(rows["method"], rows["n"], strict=True)],
    }
    return pd.DataFrame(columns)


def budget(evidence: Evidence) -> Table:
    """Return what each arm was given, and how its runs ended."""
    table = evidence.budgets.merge(evidence.outcomes.drop(columns="runs"), on="arm")
    columns = {head(evidence): named(evidence, table["arm"])}
    columns |= {key: texts(table[key]) for key in ("settings", "runs", "completed")}
    for status in ("diverged", "failed"):
        counts = zip(table[status], table[f"{status} share"], strict=True)
        columns[status] = [f"{count} ({share:.0%})" if count else "0" for count, share in counts]
    columns |= {
        "epochs allowed": [f"{int(n):,}" for n in table["max_epochs"]],
        "epochs": [f"{int(n):,}" for n in table["epochs"]],
        "minutes": [f"{seconds / 60:.1f}" for seconds in table["seconds"]],
    }
    caption = "What each arm was given, and how its runs ended. Equal budgets make a fair comparison."
    return Table("budgets", "Budgets and outcomes", caption, pd.DataFrame(columns))


def lost(evidence: Evidence) -> Table:
    """Return the runs that diverged or failed, each with its reason."""
    rows = evidence.everything
    rows = rows[rows["status"] != "completed"]
    reasons = [" ".join(str(error).split()) for error in rows["error"]]
    columns = {"status": texts(rows["status"]), "reason": reasons, "folder": texts(rows["path"])}
    caption = "A run has diverged if its training loss is no longer finite; its record has what it reached."
    return Table("lost", "Runs that diverged or failed", caption, pd.DataFrame(columns))


def broken(evidence: Evidence) -> Table:
    """Return the records that cannot be read."""
    caption = "Half-written, damaged, or of another program; they take no part in anything above."
    return Table("unreadable", "Records that cannot be read", caption, evidence.unreadable.astype(str))


def head(evidence: Evidence) -> str:
    """Return what the values in ``named`` are of."""
    return ", ".join(evidence.plan.scientific) or "arm"


def named(evidence: Evidence, arms: pd.Series) -> list[str]:
    """Name arms by their values alone."""
    rows = labelled(evidence.runs, evidence.plan).drop_duplicates("arm").to_dict("records")
    names = {row["arm"]: short(row, evidence.plan.scientific) or row["arm"] for row in rows}
    return [names[arm] for arm in arms]


def spread(arms: pd.DataFrame, metric: str) -> list[str]:
    """Write a metric's mean and standard deviation for each arm."""
    pairs = zip(arms[metric], arms[f"{metric} std"], strict=True)
    return [mean_std(mean, std) if pd.notna(mean) else "" for mean, std in pairs]


def intervals(low: pd.Series, high: pd.Series) -> list[str]:
    """Write intervals."""
    pairs = zip(low, high, strict=True)
    return [f"{least:.4f} to {most:.4f}" if pd.notna(least) else "" for least, most in pairs]


def texts(values: Iterable[object]) -> list[str]:
    """Write values as they are typed; nothing for one that is missing."""
    return ["" if pd.isna(value) else legible(value) for value in values]  # type: ignore[call-overload]
