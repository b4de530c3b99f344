"""The arms of a study, each with the setting that validation chose for it."""

import numpy as np
import pandas as pd

from overnight.records.record import STATUSES
from overnight.study.design import Design, labelled
from overnight.study.intervals import half_width, overlap, sampling_error

ACCURACIES = ("val/acc", "train/acc", "test/acc")


def settings(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return one row for each setting that was tried: an arm and the values of its nuisance hyperparameters.

    A setting is a ``candidate`` if no other of its arm has more completed replicates: one that diverged for
    some seeds, or of which some runs are missing, is not chosen over one that is whole. Of the candidates the
    one with the highest mean val/acc is ``chosen``.

    Returns:
        ``arm setting``, the scientific and nuisance keys, ``runs completed diverged failed``, ``n``
        (replicates with a result; runs of one, as seeds within a fold, are averaged first), for each of
        val/acc, train/acc and test/acc the mean under its name and ``... std`` (n - 1), ``val/acc low`` and
        ``val/acc high`` (95 %, see ``intervals``), ``test/acc sampling`` (half a 95 % interval: the test
        images are a sample), ``candidate chosen``.
    """
    marked = labelled(runs, plan)
    groups = marked.groupby(["arm", "setting"], sort=False)
    keys = groups.head(1).set_index(["arm", "setting"])[[*plan.scientific, *plan.nuisance]]
    results = summary(marked, overlap(runs, plan))
    table = keys.join([groups.size().rename("runs"), counts(marked, ["arm", "setting"]), results])
    table["n"] = table["n"].fillna(0).astype(int)
    table["candidate"] = (table["n"] > 0) & (table["n"] == table.groupby("arm")["n"].transform("max"))
    best = table.loc[table["candidate"], "val/acc"].groupby("arm").idxmax()
    table["chosen"] = table.index.isin(list(best))
    return table.reset_index()


def counts(marked: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Count the runs of each status."""
    table = pd.crosstab([marked[key] for key in by], marked["status"])
    return table.reindex(columns=list(STATUSES), fill_value=0)


def replicated(marked: pd.DataFrame) -> pd.DataFrame:
    """Return the accuracies by arm, setting and replicate; only completed runs have any."""
    completed = marked[(marked["status"] == "completed") & marked["val/acc"].notna()]
    completed = completed.astype({"data.test": "float64"})
    return completed.groupby(["arm", "setting", "replicate"], sort=False)[[*ACCURACIES, "data.test"]].mean()


def summary(marked: pd.DataFrame, shared: float) -> pd.DataFrame:
    """Return mean, spread and interval over the replicates of each setting."""
    groups = replicated(marked).groupby(["arm", "setting"], sort=False)
    mean, std, n = groups.mean(), groups[list(ACCURACIES)].std(), groups.size()
    half = half_width(std["val/acc"], n, shared)
    columns = {"n": n, "val/acc": mean["val/acc"], "val/acc std": std["val/acc"]}
    low, high = mean["val/acc"] - half, mean["val/acc"] + half
    columns |= {"val/acc low": low.clip(lower=0), "val/acc high": high.clip(upper=1)}
    columns |= {"train/acc": mean["train/acc"], "train/acc std": std["train/acc"]}
    columns |= {"test/acc": mean["test/acc"], "test/acc std": std["test/acc"]}
    columns["test/acc sampling"] = sampling_error(mean["test/acc"], mean["data.test"])
    return pd.DataFrame(columns)


def arms(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return one row for each arm, with the setting that validation chose for it; the best first.

    An arm of which no run completed stands at the end, without a setting. Since it is chosen as the best of
    several, the validation accuracy of a setting flatters it; the test accuracy takes no part in the choice.

    Returns:
        the columns of ``settings`` from ``arm`` to ``test/acc sampling`` less the counts of runs (see
        ``outcomes``), with ``settings`` and ``candidates``: how many were tried, how many could be chosen.
    """
    table = settings(runs, plan)
    tried = table.groupby("arm")["candidate"].agg(settings="size", candidates="sum")
    best = table.sort_values("chosen", ascending=False, kind="stable").groupby("arm", sort=False).head(1)
    best = best.drop(columns=["runs", *STATUSES, "candidate"]).join(tried, on="arm")
    tuned = ["setting", *plan.nuisance]
    best[tuned] = best[tuned].astype(object).where(best["chosen"], np.nan)
    ranked = best.drop(columns="chosen").sort_values("val/acc", ascending=False, na_position="last")
    return ranked.infer_objects().astype({"setting": object}).reset_index(drop=True)


def winners(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return the completed runs of each arm's chosen setting: the best arm first, in it the best run.

    Returns:
        the columns of ``runs``, and ``arm setting replicate``.
    """
    best = arms(runs, plan).dropna(subset="setting").reset_index(names="rank")
    completed = labelled(runs[(runs["status"] == "completed") & runs["val/acc"].notna()], plan)
    chosen = completed.merge(best[["arm", "setting", "rank"]], on=["arm", "setting"])
    ranked = chosen.sort_values(["rank", "val/acc"], ascending=[True, False], kind="stable")
    return ranked.drop(columns="rank").reset_index(drop=True)


def outcomes(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return how the runs of each arm ended.

    Returns:
        ``arm runs completed diverged failed``, ``diverged share`` and ``failed share`` of the arm's runs.
    """
    marked = labelled(runs, plan)
    table = marked.groupby("arm", sort=False).size().to_frame("runs").join(counts(marked, ["arm"]))
    shares = table[["diverged", "failed"]].div(table["runs"], axis=0).add_suffix(" share")
    return table.join(shares).reset_index()
