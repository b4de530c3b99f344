"""The budgets of the arms, the gain of more runs, and the importance of each hyperparameter."""

from typing import Any

import numpy as np
import optuna
import pandas as pd
from optuna.distributions import CategoricalDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from overnight.study.arms import counted
from overnight.study.design import Design, labelled, legible
from overnight.study.score import Score

BEST_SHARE = 0.2

TUNING = ("settings", "runs", "epochs_allowed")
"""What must be the same in all arms. Epochs and seconds follow from the arm: early stopping, size..."""


def budgets(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return what each arm was given, what it used, and how its runs ended.

    Returns:
        ``arm settings runs``, ``epochs_allowed`` (in all runs), ``epochs`` (trained), ``seconds``, and
        how many runs ``completed diverged pruned failed``.
    """
    marked = labelled(runs, plan)
    allowed = pd.to_numeric(marked["trainer.max_epochs"], errors="coerce")  # a failed run may have any text
    groups = marked.assign(allowed=allowed).groupby("arm", sort=False)
    table = groups.agg(
        settings=("setting", "nunique"),
        runs=("status", "size"),
        epochs_allowed=("allowed", "sum"),
        epochs=("epochs", "sum"),
        seconds=("seconds", "sum"),
    )
    return table.join(counted(marked, ["arm"])).reset_index()


def expected_best(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return the score to expect of the best of k runs of an arm, for every k.

    The question is that of Dodge et al., Show Your Work, 2019, arXiv:1909.03004. Their formula draws with
    replacement and is biased downwards; this is the unbiased one, without replacement (Tang et al., Showing
    Your Work Doesn't Always Work, 2020, arXiv:2004.13705): the mean of the maximum over all subsets of k of
    the n runs. A run that diverged or was pruned counts as the worst (see ``Score.worst``); one that failed
    tells nothing of its setting and is left out.

    Returns:
        ``arm``, ``runs`` (k, from 1 to the number of the arm's runs), ``score`` (expected of the best).
    """
    ended, sign = labelled(runs[runs["status"] != "failed"], plan), plan.score.sign
    reached = ended["score"].fillna(plan.score.worst(ended["score"]))
    arms = reached.groupby(ended["arm"], sort=False)
    best = arms.agg(lambda scores: list(sign * best_of(sign * scores.to_numpy()))).explode()
    table = best.astype("float64").rename("score").reset_index()
    return table.assign(runs=table.groupby("arm").cumcount() + 1)


def best_of(values: np.ndarray) -> np.ndarray:
    """Return the mean of the maximum over all subsets of k values, for k = 1 to n: shape [n].

    If d values were drawn and all are among the i smallest, the next one is with probability
    (i - d) / (n - d); the product of these says how much of the weight lies on the first i.
    """
    n = len(values)
    drawn, i = np.ogrid[:n, : n + 1]
    below = np.cumprod(np.maximum(i - drawn, 0) / (n - drawn), axis=0)
    expected: np.ndarray = np.diff(below, axis=1) @ np.sort(values)
    return expected


def importances(settings: pd.DataFrame, keys: tuple[str, ...], score: Score) -> pd.DataFrame:
    """Return each hyperparameter's importance for being among the best fifth of the settings, by PED-ANOVA.

    Watanabe et al., PED-ANOVA, IJCAI 2023, arXiv:2304.10255, as Optuna has it. Each is taken by itself: one
    that matters only together with another has none. A setting that diverged or was pruned counts as the
    worst; one that failed tells nothing.

    ``settings`` are those of ``arms.settings``: means over replicates.

    Returns:
        ``key importance``, the most important first; the importances sum to 1.
    """
    ended = settings[settings[["completed", "diverged", "pruned"]].sum(axis=1) > 0]
    texts = ended[list(keys)].map(legible)
    choices: Any = {key: CategoricalDistribution(sorted(texts[key].unique())) for key in keys}
    values = ended["score"].fillna(score.worst(ended["score"]))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize" if score.sign < 0 else "maximize")
    params: Any = texts.to_dict("records")
    for chosen, value in zip(params, values, strict=True):
        study.add_trial(create_trial(params=chosen, distributions=choices, value=value))
    found = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE))
    return pd.DataFrame(found.items(), columns=["key", "importance"])
