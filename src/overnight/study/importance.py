"""Which hyperparameters decide whether a run is among the best."""

import optuna
import pandas as pd
from optuna.distributions import BaseDistribution, CategoricalDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import create_trial

from overnight.study.design import legible
from overnight.study.score import Score

BEST_SHARE = 0.2


def importances(settings: pd.DataFrame, keys: tuple[str, ...], score: Score) -> pd.DataFrame:
    """Return each hyperparameter's importance for being among the best fifth of the settings, by PED-ANOVA.

    Watanabe et al., PED-ANOVA, IJCAI 2023, arXiv:2304.10255, as Optuna has it. Each is taken by itself: one
    that matters only together with another has none. A setting that diverged counts as the worst; one that
    failed tells nothing.

    Args:
        settings: of ``arms.settings``: means over replicates.
        keys: the hyperparameters that vary.
        score: of the design.

    Returns:
        ``key importance``, the most important first; the importances sum to 1.
    """
    ended = settings[settings["completed"] + settings["diverged"] > 0]
    texts = pd.DataFrame({key: ended[key].map(legible) for key in keys})
    choices: dict[str, BaseDistribution] = {
        key: CategoricalDistribution(sorted(texts[key].unique())) for key in keys
    }
    values = ended["score"].fillna(score.worst(ended["score"]))
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize" if score.sign < 0 else "maximize")
    study.add_trials(
        [
            create_trial(params=dict(zip(keys, row, strict=True)), distributions=choices, value=value)
            for row, value in zip(texts.itertuples(index=False), values, strict=True)
        ]
    )
    evaluator = PedAnovaImportanceEvaluator(target_quantile=BEST_SHARE)
    found = get_param_importances(study, evaluator=evaluator)
    return pd.DataFrame(found.items(), columns=["key", "importance"])
