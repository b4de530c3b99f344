"""The tables of a report as a reader sees them: all is text, numbers are rounded to their digits."""

from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd

from overnight.records.record import STATUSES
from overnight.study.arms import half_width
from overnight.study.design import Design, legible, short
from overnight.study.evidence import Evidence
from overnight.study.phrases import kind, legible_p, mean_std
from overnight.study.score import Score
from overnight.study.words import against, best_arm

GROUPS = ("model", "optimizer", "regularization", "init")
"""Columns of the central table, where a study has these groups: they say what was trained."""

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
    """Return an arm a row: what it is, its results, its size."""
    plan, arms, score = evidence.plan, evidence.arms, evidence.plan.score
    typical = evidence.labelled.groupby("arm").first()
    typical = typical.reindex(index=arms["arm"], columns=[*GROUPS, "parameters"]).reset_index(drop=True)
    columns = {key: texts(arms[key]) for key in evidence.varied}
    columns |= {
        **spread(evidence, "score"),
        "95 %": intervals(arms["score low"], arms["score high"], score),
        "n": texts(arms["n"]),
        **spread(evidence, "test"),
        **spread(evidence, "train"),
        "parameters": [f"{size:,}" if pd.notna(size) else "" for size in typical["parameters"]],
    }
    groups = [key for key in GROUPS if key not in columns and typical[key].notna().any()]
    columns |= {key: texts(typical[key]) for key in groups}
    settings = (*evidence.varied, *GROUPS)
    return Table("central", "Results", explained(plan), pd.DataFrame(columns), settings)


def explained(plan: Design) -> str:
    """Explain the central table."""
    if not plan.score.metric:
        return "The arms and their sizes. The runs have no metric to be compared by."
    return (
        f"Each arm with the setting that has the best mean {plan.score.label}; ± is the standard deviation "
        f"over n {kind(plan)}, 95 % the interval of the mean. All results are those of the weights of the "
        f"best epoch by {plan.score.metric}."
    )


def confirmed(evidence: Evidence) -> Table:
    """Return the winners, trained again."""
    score, final = evidence.plan.score, evidence.final
    arms = score.ranked(evidence.arms.dropna(subset="setting"), final)
    half = half_width(arms[f"{final} std"], arms["n"], shared=0.0)
    columns = {
        head(evidence): named(evidence, arms["arm"]),
        "setting": texts(arms["setting"]),
        **spread(evidence, final, arms),
        "95 %": intervals(arms[final] - half, arms[final] + half, score),
        "n": texts(arms["n"]),
        **spread(evidence, "score", arms),
    }
    caption = (
        f"The winners trained again with fresh seeds; 95 % is the interval over the seeds. {score.metric} is "
        f"still optimistic, because it chose the settings and the epochs."
    )
    if final == "test":
        caption += f" {score.on('test')} took no part in any choice: these are the numbers to publish."
    return Table("confirmed", "Confirmation", caption, pd.DataFrame(columns), settings=("setting",))


def compared(evidence: Evidence) -> Table:
    """Return the differences between the arms, or between the best and each other one."""
    rows, best = evidence.differences, best_arm(evidence)
    few = len(evidence.arms) <= MOST
    if not few and best:
        rows = against(evidence, best["arm"])
    which = "Every two arms" if few else "The best arm and each other one"
    caption = f"{which}, by {evidence.plan.score.label}. {holm(evidence.differences)}"
    return Table("differences", "Differences", caption, pairs(evidence, rows))


def compared_again(evidence: Evidence) -> Table:
    """Return the differences between winners that were trained again."""
    rows, score = evidence.final_differences, evidence.plan.score
    name = score.on("test") if evidence.final == "test" else score.metric
    caption = f"Every two of the winners trained again, by {name}. {holm(rows)}"
    return Table("confirmed_differences", "Differences, confirmed", caption, pairs(evidence, rows))


def holm(rows: pd.DataFrame) -> str:
    """Explain the columns of ``pairs``."""
    return (
        f"The p-values of Holm are corrected for all {int(rows['p'].notna().sum())} comparisons that can be "
        f"tested; the interval is that of a single comparison. Significant: p (Holm) below 0.05."
    )


def pairs(evidence: Evidence, rows: pd.DataFrame) -> pd.DataFrame:
    """Write differences between arms as text."""
    score = evidence.plan.score
    columns = {
        "arm": named(evidence, rows["a"]),
        "compared with": named(evidence, rows["b"]),
        "difference": [f"{value:+.{score.decimals}f}" for value in rows["difference"]],
        "95 %": intervals(rows["low"], rows["high"], score),
        "p": [legible_p(p) for p in rows["p"]],
        "p (Holm)": [legible_p(p) for p in rows["p holm"]],
        "significant": ["yes" if different else "no" for different in rows["different"]],
        "test": [f"{method}, n={n}" for method, n in zip(rows["method"], rows["n"], strict=True)],
    }
    return pd.DataFrame(columns)


def budget(evidence: Evidence) -> Table:
    """Return the budget of each arm, and how its runs ended."""
    table = evidence.budgets.merge(evidence.outcomes.drop(columns="runs"), on="arm")
    columns = {head(evidence): named(evidence, table["arm"])}
    columns |= {key: texts(table[key]) for key in ("settings", "runs", "completed")}
    for status in STATUSES[1:]:
        counts = zip(table[status], table[f"{status} share"], strict=True)
        columns[status] = [f"{count} ({share:.0%})" if count else "0" for count, share in counts]
    columns |= {
        "epochs allowed": [f"{int(n):,}" for n in table["max_epochs"]],
        "epochs": [f"{int(n):,}" for n in table["epochs"]],
        "minutes": [f"{seconds / 60:.1f}" for seconds in table["seconds"]],
    }
    caption = "The budget of each arm, and how its runs ended. Equal budgets make a fair comparison."
    return Table("budgets", "Budgets and outcomes", caption, pd.DataFrame(columns))


def lost(evidence: Evidence) -> Table:
    """Return the runs that diverged or failed, each with its reason."""
    rows = evidence.everything
    rows = rows[rows["status"] != "completed"]
    reasons = [" ".join(str(error).split()) for error in rows["error"]]
    columns = {"status": texts(rows["status"]), "reason": reasons, "folder": texts(rows["path"])}
    caption = (
        "A run has diverged if its loss or a metric is no longer finite; its record has what it reached."
    )
    return Table("lost", "Runs that diverged or failed", caption, pd.DataFrame(columns))


def broken(evidence: Evidence) -> Table:
    """Return the records that cannot be read."""
    caption = "They are half-written, damaged, or of another program, and take no part in anything above."
    return Table("unreadable", "Records that cannot be read", caption, evidence.unreadable.astype(str))


def head(evidence: Evidence) -> str:
    """Return what the values in ``named`` are of."""
    return ", ".join(evidence.plan.scientific) or "arm"


def named(evidence: Evidence, arms: pd.Series) -> list[str]:
    """Name arms by their values alone."""
    rows = evidence.labelled.drop_duplicates("arm").to_dict("records")
    names = {row["arm"]: short(row, evidence.plan.scientific) or row["arm"] for row in rows}
    return [names[arm] for arm in arms]


def spread(evidence: Evidence, result: str, arms: pd.DataFrame | None = None) -> dict[str, list[str]]:
    """Return a column of means and standard deviations by the metric's name; none if it was not measured."""
    score, rows = evidence.plan.score, evidence.arms if arms is None else arms
    if rows[result].isna().all():
        return {}
    texts = [mean_std(row, result, score) if pd.notna(row[result]) else "" for row in rows.to_dict("records")]
    return {heading(evidence, result): texts}


def heading(evidence: Evidence, result: str) -> str:
    """Return the metric's name for a reader; over folds the mean score has a name of its own."""
    score = evidence.plan.score
    if result != "score":
        return score.on(result)
    return f"CV score ({score.metric})" if "data.fold" in evidence.plan.replicates else str(score.metric)


def intervals(low: pd.Series, high: pd.Series, score: Score) -> list[str]:
    """Write intervals."""
    pairs = zip(low, high, strict=True)
    return [
        f"{score.written(least)} to {score.written(most)}" if pd.notna(least) else "" for least, most in pairs
    ]


def texts(values: Iterable[object]) -> list[str]:
    """Write values as they are typed; nothing for one that is missing."""
    return ["" if pd.isna(value) else legible(value) for value in values]  # type: ignore[call-overload]
