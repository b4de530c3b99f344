"""What a reader must know before trusting a comparison."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from overnight.study.design import is_number, legible
from overnight.study.effort import TUNING
from overnight.study.evidence import Evidence

SIZES = ("val samples", "train samples")  # folds differ by a sample
NAMED = 4  # arms in a sentence
SAME = 1e-9  # means of the same scores may differ so much by rounding
FEWEST = 3  # of two values each is an edge
MOST = 12  # more than a person types: a search drew them, and its interval is not in the records


def grid(runs: pd.DataFrame, key: str) -> list[float]:
    """Return the different numbers among the values of a setting, in order."""
    return sorted({value for value in runs[key].unique() if is_number(value) and pd.notna(value)})


def tied(table: pd.DataFrame, score: float) -> pd.DataFrame:
    """Return the candidates among some settings that reach this score."""
    return table[table["candidate"] & ((table["score"] - score).abs() < SAME)]


def edge_of(best: Iterable[Any], values: list[Any]) -> str | None:
    """Return "smallest" or "largest" if that one of a grid of numbers is best; None if another is as good."""
    if not FEWEST <= len(values) <= MOST or not all(map(is_number, values)):
        return None
    ends = {max(values): "largest"} | ({min(values): "smallest"} if min(values) else {})
    found = {ends.get(value) for value in best}
    return found.pop() if len(found) == 1 else None


def cautions(evidence: Evidence) -> list[str]:
    """Say in sentences what weakens the comparison; none if nothing does."""
    said = (
        *(_of_ties, _of_edges, _of_twins, _of_idle, _of_budgets),
        *(_of_samples, _of_code, _of_incomplete, _of_replicates, _of_checks),
    )
    return [sentence for caution in said for sentence in caution(evidence)]


def _of_ties(evidence: Evidence) -> Iterator[str]:
    plan, table = evidence.plan, evidence.settings
    count = len(tied(table, plan.score.best(table.loc[table["candidate"], "score"])))
    if count > 1:
        yield (
            f"{count} of {len(table)} settings have exactly the best {plan.score.metric}, and the first of "
            f"them was chosen: more validation samples, or a metric with finer steps, may tell them apart"
        )


def _of_edges(evidence: Evidence) -> Iterator[str]:
    """Look for the smallest and the largest value tried among those chosen: better ones may lie beyond.

    Looked at are the nuisance hyperparameters of each arm among the values that the arm was tried with, and
    the scientific ones of the best arm. Only numbers have edges, and only 3 to 12 different ones are a grid.
    A smallest value of 0 is no edge: nothing lies below. A run that diverged shows what lies there; one that
    failed does not.
    """
    plan, table = evidence.plan, evidence.settings
    tried = evidence.labelled[evidence.runs["status"] != "failed"]
    best = evidence.arms.dropna(subset="setting").to_dict("records")
    looked = [
        (arm, key, *(rows[rows["arm"] == arm["arm"]] for rows in (tried, table)))
        for arm in best
        for key in plan.nuisance
        if len(grid(tried, key)) <= MOST
    ] + [(arm, key, tried, table) for arm in best[:1] for key in plan.scientific]
    same: dict[tuple[str, ...], list[str]] = {}
    for arm, key, within, among in looked:
        values = grid(within, key)
        if edge := edge_of(tied(among, arm["score"])[key], values):
            told = (key, legible(arm[key]), edge, ", ".join(map(legible, values)))
            same.setdefault(told, []).append(arm["arm"])
    for (key, value, edge, listed), names in same.items():
        who = "" if key in plan.scientific else f" for {some(names)}"
        yield (
            f"The best {key}{who} is {value}, the {edge} of those tried ({listed}); "
            f"a better one may lie beyond"
        )


def _of_twins(evidence: Evidence) -> Iterator[str]:
    same = evidence.labelled.dropna(subset="fingerprint").groupby("fingerprint")["arm"].unique()
    for twins in dict.fromkeys(tuple(names) for names in same if len(names) > 1):
        yield f"These arms are one and the same configuration: {some(twins)}"


def _of_idle(evidence: Evidence) -> Iterator[str]:
    """Look for settings that nothing depends on: runs that differ in one alone all have the same curves."""
    told = evidence.histories.drop(columns=["name", "lr", "seconds"]).astype(str)
    curves = {path: rows.to_csv(index=False) for path, rows in told.set_index("path").groupby("path")}
    runs, keys = evidence.runs, [*evidence.varied, *evidence.plan.replicates]
    curve = runs["path"].map(curves).where(runs["status"] == "completed")
    ended = runs.assign(curve=curve).dropna(subset="curve")
    for key in keys:
        others = [other for other in keys if other != key] or ["metric"]  # which all share
        tried = ended.groupby(others, dropna=False)[[key, "curve"]].nunique()
        same = tried.loc[tried[key] > 1, "curve"].eq(1)
        if len(same) and same.all():
            yield f"Nothing depends on {key} here: runs that differ in it alone have the same curves"


def _of_budgets(evidence: Evidence) -> Iterator[str]:
    table, parts = evidence.budgets.set_index("arm"), []
    for part in (part for part in TUNING if len(table[part].unique()) > 1):
        ranked = table[part].sort_values(kind="stable")
        ends = [f"{legible(amount)} ({arm})" for arm, amount in ranked.iloc[[0, -1]].items()]
        parts.append(f"{part.replace('_', ' ')} {' to '.join(ends)}")
    if parts:
        why = "the best of more settings is more optimistic, and p-values in its favour are too small"
        if len(table["settings"].unique()) == 1:
            why = "an arm that was trained longer, or more often, may be better for that reason"
        yield f"The arms had unequal budgets, {'; '.join(parts)}: {why}"


def _of_samples(evidence: Evidence) -> Iterator[str]:
    runs, plan = evidence.runs, evidence.plan
    for key in ("data._target_", "data.folds", *SIZES):
        values = set(runs[key].dropna()) if key in runs and key not in plan.scientific else set()
        if len(values) > 1 and not (key in SIZES and plan.resampled):
            listed = ", ".join(map(legible, sorted(values)))
            what = f"numbers of {key}" if key in SIZES else key
            yield f"These runs have different {what} ({listed}), so they were scored on different samples"


def _of_code(evidence: Evidence) -> Iterator[str]:
    runs = evidence.runs
    pairs = {pair for text in runs["sources"].dropna() for pair in text.split()}
    versions = Counter(pair.partition("=")[0] for pair in pairs)
    if edited := sorted(name for name, number in versions.items() if number > 1):
        yield (
            f"These runs are of different code ({', '.join(edited)} changed between them), so it may be the "
            f"code that makes a difference"
        )
    given = [key for key in map(str, runs) if key.startswith("data.") and key not in evidence.plan.replicates]
    known = runs.dropna(subset="samples")[[*given, "samples"]].astype(str).drop_duplicates()
    if given and known.duplicated(given).any():
        yield "These runs have different samples, though their settings of data are the same"


def _of_incomplete(evidence: Evidence) -> Iterator[str]:
    table, sign = evidence.settings, evidence.plan.score.sign
    chosen = table["arm"].map(table[table["chosen"]].set_index("arm")["score"])
    better = table[~table["candidate"] & (sign * table["score"] > sign * chosen)]
    names = [", ".join(filter(None, pair)) for pair in zip(better["arm"], better["setting"], strict=True)]
    if names:
        yield f"Better than the chosen setting, but with runs that have no result: {some(names)}"


def _of_replicates(evidence: Evidence) -> Iterator[str]:
    best = evidence.arms.dropna(subset="setting")
    if len(single := best.loc[best["n"] == 1, "arm"]):
        who = "" if len(single) == len(best) else f" of {some(single)}"
        yield (
            f"With one seed it is unknown how much the results{who} vary by chance. Type for example: "
            f"seed=0,1,2"
        )
    if len(best["n"].unique()) > 1:
        counts = ", ".join(f"{row['arm']}: {row['n']}" for row in best.to_dict("records"))
        yield f"The chosen settings have unequal numbers of replicates: {counts}"


def _of_checks(evidence: Evidence) -> Iterator[str]:
    runs = evidence.runs
    doubtful = runs[(runs["status"] == "completed") & runs["metric"].notna() & runs["checked"].ne(other=True)]
    for reason, rows in doubtful.groupby(doubtful["checked"].astype(str), sort=False):
        yield f"The best result is not confirmed for {some(rows['name'], 'runs')}: {reason}"


def some(names: Iterable[str], noun: str = "arms") -> str:
    """Name a few, or count many."""
    listed = list(names)
    return "; ".join(listed) if len(listed) <= NAMED else f"{len(listed)} {noun} ({listed[0]}, ...)"
