"""How far a mean over replicates may be off."""

import pandas as pd
from scipy import stats

from overnight.records.sampling import LEVEL
from overnight.study.design import Design


def overlap(runs: pd.DataFrame, plan: Design) -> float:
    """Return what to add to 1/n because replicates share training samples: validation over training size.

    0 where only the seed differs. Folds and drawn splits train on overlapping parts of the same samples, so
    their results are not independent and the plain interval is too narrow (Nadeau and Bengio, Inference for
    the Generalization Error, Machine Learning 52, 2003: the corrected resampled t). NaN where the sizes are
    not known.
    """
    sizes = runs[["val samples", "train samples"]].astype("float64").mean()
    return float(sizes["val samples"] / sizes["train samples"]) if plan.resampled else 0.0


def half_width(std: pd.Series, n: pd.Series, shared: float) -> pd.Series:
    """Return half the 95 % interval of the mean over n replicates, by Student's t; NaN for a single one.

    ``shared`` is what ``overlap`` returns.
    """
    quantile = pd.Series(stats.t.ppf((1 + LEVEL) / 2, n - 1), index=n.index)
    return std * (1 / n + shared) ** 0.5 * quantile
