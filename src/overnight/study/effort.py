"""What the arms cost, and what more runs of an arm would have brought."""

import numpy as np
import pandas as pd
from scipy.special import gammaln

from overnight.study.design import Design, labelled

TUNING = ("settings", "runs", "max_epochs")
"""What must be the same in all arms. Epochs and seconds follow from the arm: early stopping, size..."""


def budgets(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return what each arm was given and what it used.

    Returns:
        ``arm settings runs``, ``max_epochs`` (allowed, in all runs), ``epochs`` (trained), ``seconds``.
    """
    marked = labelled(runs, plan)
    allowed = pd.to_numeric(marked["trainer.max_epochs"], errors="coerce")  # a failed run may have any text
    groups = marked.assign(allowed=allowed).groupby("arm", sort=False)
    return groups.agg(
        settings=("setting", "nunique"),
        runs=("status", "size"),
        max_epochs=("allowed", "sum"),
        epochs=("epochs", "sum"),
        seconds=("seconds", "sum"),
    ).reset_index()


def unequal(table: pd.DataFrame) -> list[str]:
    """Return in which part of their budget (settings, runs, max_epochs) the arms of ``budgets`` differ."""
    return [part for part in TUNING if len(table[part].unique()) > 1]


def expected_best(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return the score to expect of the best of k runs of an arm, for every k.

    The question is that of Dodge et al., Show Your Work, 2019, arXiv:1909.03004. Their formula draws with
    replacement and is biased downwards; this is the unbiased one, without replacement (Tang et al., Showing
    Your Work Doesn't Always Work, 2020, arXiv:2004.13705): the mean of the maximum over all subsets of k of
    the n runs. A run that diverged counts as the worst (see ``Score.worst``); one that failed tells nothing
    of its setting and is left out.

    Returns:
        ``arm``, ``runs`` (k, from 1 to the number of the arm's runs), ``score`` (expected of the best).
    """
    ended, sign = labelled(runs[runs["status"] != "failed"], plan), plan.score.sign
    reached = ended["score"].fillna(plan.score.worst(ended["score"]))
    tables = [
        pd.DataFrame({"arm": arm, "score": sign * best_of(sign * values.to_numpy())})
        for arm, values in reached.groupby(ended["arm"], sort=False)
    ]
    table = pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=["arm", "score"])
    return table.assign(runs=table.groupby("arm").cumcount() + 1)


def best_of(values: np.ndarray) -> np.ndarray:
    """Return the mean of the maximum over all subsets of k values, for k = 1 to n: shape [n].

    All k are among the i smallest values in C(i, k) of the C(n, k) subsets; so much of the weight is on the
    first i. The logarithms of factorials keep the numbers within range.
    """
    n = len(values)
    k, i = np.ogrid[1 : n + 1, : n + 1]
    below = np.exp(choose(i, k) - choose(np.array(n), k))
    expected: np.ndarray = np.diff(below, axis=1) @ np.sort(values)
    return expected


def choose(n: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Return the logarithm of the number of subsets of k of n things; -inf where there is none."""
    logarithm: np.ndarray = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return logarithm
