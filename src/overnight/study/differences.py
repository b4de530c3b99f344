"""Which arms differ, and how sure that is."""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.multitest import multipletests

from overnight.records.sampling import LEVEL
from overnight.study.arms import overlap, replicated, winners
from overnight.study.design import Design

EXACT = 1e-12  # what varies less than this does not vary: it is rounding


def differences(runs: pd.DataFrame, plan: Design, result: str = "score") -> pd.DataFrame:
    """Compare every two arms, each with its chosen setting.

    Where two arms share at least two replicates (seeds, folds, splits), the differences within these are
    tested: a paired t-test; on folds or drawn splits the corrected resampled t (see ``arms.overlap``).
    Otherwise Welch's t-test. ``p holm`` is corrected for the number of comparisons (Holm, Scandinavian
    Journal of Statistics 6, 1979), and ``different`` says that it is below 0.05: of studies in which no arm
    differs and all were tuned over as many settings, at most 5 % have any such pair. An arm that was chosen
    from more settings is more optimistic (see ``cautions``). The interval is that of a single comparison.
    The settings are chosen by the score, whichever ``result`` is compared.

    Returns:
        ``a b`` (arms; a is the one with the better mean score), ``difference`` (a - b), its standard
        ``error``, ``df``, ``low high`` (95 %), ``p``, ``p holm``, ``different``, ``n`` (pairs, or the smaller
        of two unpaired groups), ``method``. Where nothing can be tested (one replicate, or no variance at
        all) p and interval are NaN; but p is 1 where all results are equal in pairs.
    """
    best = winners(runs, plan)  # in the order of the arms
    pairs = pd.DataFrame(combinations(best["arm"].unique(), 2), columns=["a", "b"])
    results = replicated(best).reset_index().pivot_table(result, "arm", "replicate")
    a, b = (results.reindex(pairs[side]).reset_index(drop=True) for side in pairs)
    within, apart = paired(a, b, overlap(runs, plan)), unpaired(a, b)
    shared = within["n"] > 1
    return pairs.join(decided(pd.concat([within[shared], apart[~shared]]).sort_index()))


def paired(a: pd.DataFrame, b: pd.DataFrame, shared: float = 0.0) -> pd.DataFrame:
    """Return what a paired t-test needs: a row for each pair of arms, from a column for each replicate."""
    within = a - b
    n = within.count(axis=1)
    error = within.std(axis=1) * (1 / n.where(n > 0) + shared) ** 0.5
    method = "paired t, corrected for shared training samples" if shared else "paired t"
    return pd.DataFrame(
        {"difference": within.mean(axis=1), "error": error, "df": n - 1, "n": n, "method": method}
    )


def unpaired(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Return what Welch's t-test needs (Biometrika 34, 1947): the variances may differ."""
    counts = pd.DataFrame({"a": a.count(axis=1), "b": b.count(axis=1)})
    squares = pd.DataFrame({"a": a.var(axis=1), "b": b.var(axis=1)}) / counts
    error = squares.sum(axis=1, skipna=False) ** 0.5
    df = error**4 / (squares**2 / (counts - 1)).sum(axis=1, skipna=False)
    mean = a.mean(axis=1) - b.mean(axis=1)
    return pd.DataFrame(
        {"difference": mean, "error": error, "df": df, "n": counts.min(axis=1), "method": "Welch t"}
    )


def decided(table: pd.DataFrame) -> pd.DataFrame:
    """Add interval, p and verdict to the differences and their standard errors."""
    t = stats.t(table["df"].astype("float64").where(table["n"] > 1))
    certain = table["error"] > EXACT
    error = table["error"].where(certain)
    half = error * t.ppf((1 + LEVEL) / 2)
    equal = (table["error"] <= EXACT) & (table["difference"].abs() <= EXACT)
    p = pd.Series(2 * t.sf((table["difference"] / error).abs()), index=table.index).mask(equal, 1.0)
    tested = p.dropna()  # the others are not counted
    corrected = multipletests(tested, method="holm")[1] if len(tested) else []
    holm = pd.Series(corrected, index=tested.index, dtype=float).reindex(p.index)
    why = np.select(
        [table["n"] < 2, table["error"].isna()],  # noqa: PLR2004 - a variance takes two
        ["none: one replicate", "none: unknown sizes"],
        "none: no variance",
    )
    return table.assign(
        low=table["difference"] - half,
        high=table["difference"] + half,
        p=p,
        **{"p holm": holm},
        different=holm < 1 - LEVEL,
        method=table["method"].where(certain, why),
    )
