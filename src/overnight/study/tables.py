"""The tables of a report as a reader sees them: all is text, numbers are rounded to their digits."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pandas as pd

from overnight.records.metric import counterpart, is_of_test
from overnight.records.record import STATUSES
from overnight.study.design import legible, rounded
from overnight.study.evidence import Evidence, merged
from overnight.study.verdict import legible_p

GROUPS = ("model", "optimizer", "regularization", "init")
"""Columns of the central table, where a study has these groups: they say what was trained."""

MOST = 5  # arms: of more, only the comparisons with the best one are listed

Columns = dict[str, list[str]]


class Table(NamedTuple):
    """A table with what stands above it."""

    name: str  # for references
    title: str
    caption: str  # how to read it
    cells: pd.DataFrame  # text; no index
    settings: tuple[str, ...] = ()  # columns for which paper has no room if all rows have the same


def results(evidence: Evidence) -> list[Table]:
    """Return the tables for a paper that have any row, the central one first."""
    made = [_central(evidence)]
    if again := evidence.confirmation:
        by = again.plan.score.on(again.final)
        caption = (
            f"Every two of the winners trained again are compared by {by}. {_holm(again.final_differences)}"
        )
        cells = _pairs(again, again.final_differences)
        made += [_confirmed(again), Table("confirmed_differences", "Differences, confirmed", caption, cells)]
    few = len(evidence.arms) <= MOST
    which = "Every two arms are compared" if few else "The best arm is compared with each other one"
    caption = f"{which} by {evidence.plan.score.label}. {_holm(evidence.differences)}"
    cells = _pairs(evidence, evidence.differences if few else evidence.rivals)
    made += [Table("differences", "Differences", caption, cells), _budget(evidence)]
    return [table for table in made if len(table.cells)]


def problems(evidence: Evidence) -> list[Table]:
    """Return what did not end well, run by run."""
    return [table for table in (_lost(evidence), _broken(evidence)) if len(table.cells)]


def _central(evidence: Evidence) -> Table:
    plan, arms, score = evidence.plan, evidence.arms, evidence.plan.score
    typical = evidence.labelled.groupby("arm").first().reindex(index=arms["arm"])
    columns = {
        **{key: texts(arms[key], rounded) for key in evidence.varied},
        **_spread(evidence, arms, "score"),
        **_interval(evidence, arms["score low"], arms["score high"]),
        "n": texts(arms["n"]),
        **_spread(evidence, arms, "test"),
        **_spread(evidence, arms, "train"),
        **_others(evidence, arms),
        "parameters": texts(typical["parameters"], "{:,}".format),
    }
    columns |= {key: texts(typical[key]) for key in told(typical, evidence.varied) if key not in columns}
    caption = (
        f"Each arm has the setting with the best mean {score.label}; ± is the standard deviation over n "
        f"{plan.kind}, 95 % the interval of the mean. All results are those of the weights of the best epoch "
        f"by {score.metric}."
    )
    if not score.metric:
        caption = "The runs have no metric to be compared by, so there are only the arms and their sizes."
    return Table("central", "Results", caption, pd.DataFrame(columns), (*evidence.varied, *GROUPS))


def told(arms: pd.DataFrame, varied: Iterable[str]) -> list[str]:
    """Return the groups that say what was trained: not one that is off, nor a model whose parts vary."""
    used = [key for key in GROUPS if key in arms and set(arms[key].dropna()) - {"none"}]
    return [key for key in used if key != "model" or not any(name.startswith("model.") for name in varied)]


def _confirmed(evidence: Evidence) -> Table:
    score, final = evidence.plan.score, evidence.final
    arms = score.ranked(evidence.arms.dropna(subset="setting"), final)
    columns = {
        **_named(evidence, arms["arm"]),
        "setting": texts(arms["setting"]),
        **_spread(evidence, arms, final),
        **_interval(evidence, arms[f"{final} low"], arms[f"{final} high"]),
        "n": texts(arms["n"]),
        **_spread(evidence, arms, "score"),
    }
    caption = (
        f"The winners were trained again with fresh seeds; 95 % is the interval over these. {score.metric} "
        f"is still optimistic, because it chose the settings and the epochs."
    )
    if final == "test":
        caption += f" {score.on('test')} took no part in any choice: these are the numbers to publish."
    return Table("confirmed", "Confirmation", caption, pd.DataFrame(columns), settings=("setting",))


def _holm(tested: pd.DataFrame) -> str:
    number = tested["p"].notna().sum()
    if not number:
        return "None of them can be tested: this needs two or more seeds."
    return (
        f"p (Holm) is corrected for the number of comparisons that can be tested ({number}); a difference "
        f"is significant if it is below 0.05. The interval is that of a single comparison."
    )


def _pairs(evidence: Evidence, rows: pd.DataFrame) -> pd.DataFrame:
    columns = {
        **_named(evidence, rows["a"], "arm"),
        **_named(evidence, rows["b"], "compared with"),
        "difference": texts(rows["difference"], evidence.plan.score.signed),
        **_interval(evidence, rows["low"], rows["high"]),
        "p": texts(rows["p"], legible_p),
        "p (Holm)": texts(rows["p holm"], legible_p),
        "significant": ["yes" if different else "no" for different in rows["different"]],
        "test": [f"{method}, n={n}" for method, n in zip(rows["method"], rows["n"], strict=True)],
    }
    return pd.DataFrame(columns)


def _budget(evidence: Evidence) -> Table:
    table = evidence.budgets
    columns = _named(evidence, table["arm"])
    columns |= {key: texts(table[key]) for key in ("settings", "runs", "completed")}
    for status in (status for status in STATUSES[1:] if status != "pruned" or table[status].any()):
        counts = zip(table[status], table["runs"], strict=True)
        columns[status] = [f"{count} ({count / runs:.0%})" if count else "0" for count, runs in counts]
    columns |= {
        "epochs allowed": texts(table["epochs_allowed"], "{:,.0f}".format),
        "epochs": texts(table["epochs"], "{:,.0f}".format),
        "minutes": texts(table["seconds"] / 60, "{:.1f}".format),
    }
    caption = (
        "Each row is the budget of an arm, and how its runs ended. Equal budgets make a fair comparison."
    )
    return Table("budgets", "Budgets and outcomes", caption, pd.DataFrame(columns))


def _lost(evidence: Evidence) -> Table:
    runs = merged([evidence.runs, evidence.confirming])
    rows = runs[runs["status"] != "completed"]
    reasons = rows["error"].fillna("").map(lambda error: " ".join(str(error).split()))
    cells = pd.DataFrame({"status": rows["status"], "reason": reasons, "folder": rows["path"]})
    caption = (
        "A run has diverged if its loss or a metric is no longer finite; it was pruned if others were better "
        "after as many epochs. Its record has what it reached."
    )
    return Table("lost", "Runs that did not complete", caption, cells)


def _broken(evidence: Evidence) -> Table:
    caption = "These are half-written, damaged, or of another program, and take no part in anything above."
    return Table("unreadable", "Records that cannot be read", caption, evidence.unreadable.astype(str))


def _named(evidence: Evidence, arms: pd.Series, head: str = "") -> Columns:
    """Return a column that names arms by their values alone; their keys are its head if none is given."""
    names = [", ".join(evidence.compared[arm].values()) or arm for arm in arms]
    return {head or ", ".join(evidence.plan.scientific) or "arm": names}


def _spread(evidence: Evidence, arms: pd.DataFrame, result: str) -> Columns:
    """Return a column of means and standard deviations by the metric's name; none if it was not measured."""
    score = evidence.plan.score
    head = score.on(result)
    if result == "score" and "data.fold" in evidence.plan.replicates:
        head = f"CV score ({head})"
    measured = arms[result].notna().any()
    return {head: [score.mean_std(arm, result) for arm in arms.to_dict("records")]} if measured else {}


def _others(evidence: Evidence, arms: pd.DataFrame) -> Columns:
    """Return the means of the other metrics on the test set; none beside a share, which needs no others."""
    score, winners = evidence.plan.score, evidence.winners
    known = dict.fromkeys(counterpart(name, "test") for name in evidence.logged)
    names = [name for name in known if name in winners and is_of_test(name) and name != score.on("test")]
    means = winners.groupby("arm")[names].mean().reindex(arms["arm"])
    return {} if score.share else {name: texts(means[name], "{:.4g}".format) for name in names}


def _interval(evidence: Evidence, low: pd.Series, high: pd.Series) -> Columns:
    wide = low != high  # equal results tell nothing of the spread
    lows, highs = (texts(ends.where(wide), evidence.plan.score.written) for ends in (low, high))
    return {"95 %": [" to ".join(filter(None, ends)) for ends in zip(lows, highs, strict=True)]}


def texts(values: Iterable[Any], write: Callable[[Any], str] = legible) -> list[str]:
    """Write values, as they are typed unless told otherwise; nothing for one that is missing."""
    return ["" if pd.isna(value) else write(value) for value in values]
