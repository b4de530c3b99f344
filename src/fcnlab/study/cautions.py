"""What a reader must know before trusting a comparison."""

from collections.abc import Iterable, Iterator
from typing import Any

import pandas as pd

from fcnlab.study.arms import arms, settings
from fcnlab.study.design import Design, is_number, labelled, legible
from fcnlab.study.effort import budgets, unequal

NAMED = 4  # arms in a sentence
FEWEST = 3  # of two values each is an edge
MOST = 12  # more than a person types: a search drew them, and its interval is not in the records


def edges(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return the chosen values that are the smallest or largest tried: better ones may lie beyond.

    Looked at are the nuisance hyperparameters of each arm among the values that the arm was tried with, and
    the scientific ones of the best arm. Only numbers have edges, and only 3 to 12 different ones are a grid.
    A smallest value of 0 is no edge: nothing lies below. A run that diverged shows what lies there; one that
    failed does not.

    Returns:
        ``arm key value``, ``edge`` (smallest or largest), ``tried`` (text: the values in order). Empty if all
        is well.
    """
    tried = labelled(runs[runs["status"] != "failed"], plan)
    best = arms(runs, plan).dropna(subset="setting")
    rows = [
        on_edge(arm, key, grid(tried[tried["arm"] == arm["arm"]], key))
        for arm in best.to_dict("records")
        for key in plan.nuisance
        if len(grid(tried, key)) <= MOST
    ]
    rows += [
        on_edge(arm, key, grid(tried, key)) for arm in best[:1].to_dict("records") for key in plan.scientific
    ]
    found = [row for row in rows if row["edge"] and FEWEST <= row["values"] <= MOST]
    return pd.DataFrame(found, columns=["arm", "key", "value", "edge", "tried"])


def grid(runs: pd.DataFrame, key: str) -> list[float]:
    """Return the different numbers among the values of a setting, in order."""
    return sorted({value for value in runs[key].unique() if is_number(value) and pd.notna(value)})


def on_edge(arm: dict[Any, Any], key: str, values: list[float]) -> dict[str, Any]:
    """Tell on which edge of the values the arm's own lies, if on any."""
    value = arm[key]
    ends = {"smallest": values[:1], "largest": values[-1:]}
    edge = next(
        (name for name, end in ends.items() if [value] == end and (name, value) != ("smallest", 0)), None
    )
    tried = ", ".join(map(legible, values))
    return {
        "arm": arm["arm"],
        "key": key,
        "value": value,
        "edge": edge,
        "tried": tried,
        "values": len(values),
    }


def cautions(runs: pd.DataFrame, plan: Design) -> list[str]:
    """Say in sentences what weakens the comparison; none if nothing does."""
    return [
        *of_edges(runs, plan),
        *of_budgets(runs, plan),
        *of_incomplete(runs, plan),
        *of_replicates(runs, plan),
    ]


def of_edges(runs: pd.DataFrame, plan: Design) -> Iterator[str]:
    """Name the chosen values that lie on the edge of what was tried."""
    for (key, value, edge, tried), rows in edges(runs, plan).groupby(
        ["key", "value", "edge", "tried"], sort=False
    ):
        which = f"{some(rows['arm'])}: {key}={legible(value)} is the {edge} value tried"
        yield f"{which} ({tried}); a better one may lie beyond"


def of_budgets(runs: pd.DataFrame, plan: Design) -> Iterator[str]:
    """Say in what the budgets of the arms differ, and between which arms most."""
    table = budgets(runs, plan).set_index("arm")
    for part in unequal(table):
        ranked = table[part].sort_values(kind="stable")
        ends = [f"{legible(amount)} ({arm})" for arm, amount in list(ranked.items())[:: len(ranked) - 1]]
        yield f"the arms had unequal budgets, {part}: from {' to '.join(ends)}"


def of_incomplete(runs: pd.DataFrame, plan: Design) -> Iterator[str]:
    """Name the settings that were out of the choice because some of their runs have no result."""
    table = settings(runs, plan)
    left_out = table[(table["n"] > 0) & ~table["candidate"]]
    names = [", ".join(filter(None, pair)) for pair in zip(left_out["arm"], left_out["setting"], strict=True)]
    if names:
        yield f"{some(names)}: could not be chosen, since other settings have more whole replicates"


def of_replicates(runs: pd.DataFrame, plan: Design) -> Iterator[str]:
    """Say where a chosen setting was run only once, and where the arms were repeated unequally often."""
    best = arms(runs, plan).dropna(subset="setting")
    if (best["n"] == 1).any():
        yield "one seed: how much the results vary by chance is not known. Type for example: seed=0,1,2"
    if len(best["n"].unique()) > 1:
        counts = ", ".join(f"{row['arm']}: {row['n']}" for row in best.to_dict("records"))
        yield f"the chosen settings have unequal numbers of replicates: {counts}"


def some(names: Iterable[str]) -> str:
    """Name a few, or count many."""
    listed = list(names)
    return "; ".join(listed) if len(listed) <= NAMED else f"{len(listed)} times (the first: {listed[0]})"
