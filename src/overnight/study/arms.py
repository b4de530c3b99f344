"""The arms of a study, each with the setting that was chosen for it."""

import numpy as np
import pandas as pd
from scipy import stats

from overnight.records.record import STATUSES
from overnight.records.sampling import LEVEL
from overnight.study.design import Design, labelled
from overnight.study.score import RESULTS


def settings(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return one row for each setting that was tried: an arm and the values of its nuisance hyperparameters.

    A setting is a ``candidate`` if no other of its arm has more of the ``common`` replicates completed: one
    that diverged for some seeds, or of which some runs are missing, is not chosen over one that is whole. Of
    the candidates the one with the best mean score is ``chosen``.

    Returns:
        ``arm setting``, the scientific and nuisance keys, ``runs completed diverged failed``, the columns of
        ``summary``, ``candidate chosen``.
    """
    marked = labelled(runs, plan)
    groups = marked.groupby(["arm", "setting"], sort=False)
    keys = groups.head(1).set_index(["arm", "setting"])[[*plan.scientific, *plan.nuisance]]
    counts = counted(marked, ["arm", "setting"])
    table = keys.join([groups.size().rename("runs"), counts, summary(marked, plan, overlap(runs, plan))])
    table["n"] = table["n"].fillna(0).astype(int)
    measured = marked[marked["score"].notna() & common(marked)].groupby(["arm", "setting"])
    whole = measured["replicate"].nunique().reindex(table.index, fill_value=0)
    table["candidate"] = (table["n"] > 0) & (whole == whole.groupby("arm").transform("max"))
    best = (plan.score.sign * table.loc[table["candidate"], "score"]).groupby("arm").idxmax()
    table["chosen"] = table.index.isin(list(best))
    return table.reset_index()


def common(marked: pd.DataFrame) -> pd.Series:
    """Tell of each run whether its replicate is one that at least half of the settings were tried with.

    A seed that was added for one setting alone does not make all others incomplete.
    """
    tried = marked.drop_duplicates(["arm", "setting", "replicate"])["replicate"].value_counts()
    settings_tried = len(marked[["arm", "setting"]].drop_duplicates())
    shared = marked["replicate"].map(tried) >= settings_tried / 2
    return shared if shared.any() else ~shared


def counted(marked: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return how many of the runs of each group ended in each of the ``STATUSES``."""
    table = pd.crosstab([marked[key] for key in by], marked["status"])
    return table.reindex(columns=list(STATUSES), fill_value=0)


def replicated(marked: pd.DataFrame) -> pd.DataFrame:
    """Return the results by arm, setting and replicate; only completed runs have any."""
    measured = marked[marked["score"].notna()].astype({"test samples": "float64"})
    return measured.groupby(["arm", "setting", "replicate"], sort=False)[[*RESULTS, "test samples"]].mean()


def summary(marked: pd.DataFrame, plan: Design, shared: float) -> pd.DataFrame:
    """Return what the replicates of each setting reached.

    Returns:
        ``n`` (replicates with a result; runs of one, as seeds within a fold, are averaged first), for each of
        ``score``, ``train`` and ``test`` the mean under its name, ``... std`` (n - 1), ``... low`` and
        ``... high`` (95 %, by Student's t; see ``overlap``), ``test sampling`` (half a 95 % interval: the
        test samples are a sample; NaN if the score is no share).
    """
    groups = replicated(marked).groupby(["arm", "setting"], sort=False)
    mean, std, n = groups[list(RESULTS)].mean(), groups[list(RESULTS)].std(), groups.size()
    half = std.mul((1 / n + shared) ** 0.5 * stats.t.ppf((1 + LEVEL) / 2, n - 1), axis=0)
    ends = {"low": mean - half, "high": mean + half}
    sides = [plan.score.bounded(table).add_suffix(f" {side}") for side, table in ends.items()]
    sampling = plan.score.sampling(mean["test"], groups["test samples"].mean())
    return mean.join([std.add_suffix(" std"), *sides]).assign(n=n, **{"test sampling": sampling})


def overlap(runs: pd.DataFrame, plan: Design) -> float:
    """Return what to add to 1/n because replicates share training samples: validation over training size.

    0 where only the seed differs. Folds and drawn splits train on overlapping parts of the same samples, so
    their results are not independent and the plain interval is too narrow (Nadeau and Bengio, Inference for
    the Generalization Error, Machine Learning 52, 2003: the corrected resampled t). NaN where the sizes are
    not known.
    """
    sizes = runs[["val samples", "train samples"]].astype("float64").mean()
    return float(sizes["val samples"] / sizes["train samples"]) if plan.resampled else 0.0


def arms(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return one row for each arm, with the setting that was chosen for it; the best first.

    An arm of which no run completed stands at the end, without a setting. Since it is chosen as the best of
    several, the score of a setting is optimistic; the test samples take no part in the choice.

    Returns:
        the columns of ``settings`` less the counts of runs (see ``effort.budgets``), with ``settings`` and
        ``candidates``: how many were tried, how many could be chosen.
    """
    table = settings(runs, plan)
    tried = table.groupby("arm")["candidate"].agg(settings="size", candidates="sum")
    best = table.sort_values("chosen", ascending=False, kind="stable").drop_duplicates("arm")
    best = best.drop(columns=["runs", *STATUSES, "candidate"]).join(tried, on="arm")
    tuned = ["setting", *plan.nuisance]
    best[tuned] = best[tuned].astype(object).where(best["chosen"], np.nan)
    ranked = plan.score.ranked(best.drop(columns="chosen"))
    return ranked.infer_objects().astype({"setting": object}).reset_index(drop=True)


def winners(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return the completed runs of the chosen settings, ``labelled``: best arm first, in it the best run."""
    best = arms(runs, plan).dropna(subset="setting")[["arm", "setting"]]
    marked = plan.score.ranked(labelled(runs, plan).dropna(subset="score"))
    return best.merge(marked, on=["arm", "setting"])[marked.columns]
