"""The design of a study: what is asked, what is tuned, what is repeated.

The words are those of the tuning playbook (github.com/google-research/tuning_playbook): the values of the
*scientific* hyperparameters are the arms that are compared; the *nuisance* hyperparameters are tuned anew for
each arm; *replicates* repeat the same setting with another seed, fold or split.
"""

import math
from dataclasses import dataclass
from typing import Any

import pandas as pd

from overnight.records.identity import is_cosmetic
from overnight.study.frames import ALWAYS, SETTING
from overnight.study.score import RESULTS, Score, score_of

REPLICATES = {"seed": "seeds", "data.fold": "folds", "data.split_seed": "splits"}
"""What tells repetitions of one setting apart, and the word for several of it."""

RESAMPLED = frozenset({"data.fold", "data.split_seed"})
"""Replicates whose training sets overlap."""

PREPARED = frozenset({"experiment", "hparams_search"})
"""Groups that set other settings; a difference in these is told by what they set."""


@dataclass(frozen=True)
class Design:
    """Which columns of the runs play which part."""

    scientific: tuple[str, ...]  # their values are the arms
    nuisance: tuple[str, ...]  # tuned for each arm; only those that vary
    replicates: tuple[str, ...]  # tell repetitions of one setting apart; () if each was run once
    score: Score  # ranks the runs, and so the settings and the arms

    @property
    def resampled(self) -> bool:
        """Tell whether the replicates are trained on overlapping parts of the same samples."""
        return not RESAMPLED.isdisjoint(self.replicates)

    @property
    def units(self) -> tuple[str, ...]:
        """Return what counts as one replicate: seeds within one fold or split are no further ones."""
        return tuple(key for key in self.replicates if key in RESAMPLED) or self.replicates

    @property
    def kind(self) -> str:
        """Return in words what the replicates are."""
        means = ", each the mean of its seeds" if self.units != self.replicates else ""
        return (" x ".join(REPLICATES[key] for key in self.units) or "runs") + means


def design(runs: pd.DataFrame, scientific: tuple[str, ...] = ()) -> Design:
    """Find the design of the runs of ``frames.load``.

    The scientific hyperparameters are those given; or those that the study declares (``study.scientific`` in
    the configuration); or else, of what somebody typed and varied: what is not a number (groups, lists,
    true/false); if all are numbers, all but ``lr``; if only ``lr`` varies, that. What else varies is
    nuisance, declared or not, since runs that differ in it are no repetitions of each other.

    Raises:
        ValueError: a key is no setting of these runs; or the runs are of studies with different questions, or
            were chosen by different metrics.
    """
    score, varied = score_of(runs), candidates(runs)
    tuned = [key for key in varied if key not in REPLICATES]
    typed = dict.fromkeys(scientific or declared(runs))
    asked = tuple(column_of(key, runs) for key in typed) or guessed(runs, tuned)
    results = {*ALWAYS, *map(score.on, RESULTS)}
    if unknown := [key for key in asked if key not in runs or key in results or is_result(key)]:
        raise ValueError(
            f"scientific hyperparameters: {', '.join(unknown)} is no setting of these runs. "
            f"Needed: one of those that vary: {', '.join(tuned)}"
        )
    repeated = [key for key in REPLICATES if key in runs and len(runs[key].dropna().unique()) > 1]
    nuisance, replicates = (tuple(key for key in keys if key not in asked) for keys in (tuned, repeated))
    return Design(asked, nuisance, replicates, score)


def refuse_constant(runs: pd.DataFrame, plan: Design) -> None:
    """Refuse a question about a setting that is the same in all runs, if others vary (ValueError)."""
    for key in plan.scientific:
        if len(values := runs[key].unique()) == 1 and plan.nuisance:
            raise ValueError(
                f"scientific hyperparameters: {key} is {legible(values[0])} in all of these runs. "
                f"Needed: one of those that vary: {', '.join(plan.nuisance)}"
            )


def is_result(column: str) -> bool:
    """Tell whether a column is a metric's; only a setting that shares its name with one has a slash in it."""
    return "/" in column and not column.endswith(SETTING)


def varying(runs: pd.DataFrame) -> list[str]:
    """Return the settings that somebody typed and that are not the same in all runs."""
    typed = sorted({override.lstrip("+~").partition("=")[0] for row in runs["overrides"] for override in row})
    keys = [column_of(key, runs) for key in typed]
    return [key for key in keys if key in runs and len(runs[key].unique()) > 1]


def column_of(key: str, runs: pd.DataFrame) -> str:
    """Return the column of a setting: not that of a metric, or of a result, with the same name."""
    return f"{key}{SETTING}" if f"{key}{SETTING}" in runs else key


def candidates(runs: pd.DataFrame) -> list[str]:
    """Return what was typed and varies, less what no result depends on."""
    own = {key for text in runs.get("cosmetic", pd.Series()).dropna() for key in words_of(text)}
    keys = [key for key in varying(runs) if not is_cosmetic(key, own)]
    return [key for key in keys if key not in PREPARED] or keys


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a list that ``frames.load`` has written as text."""
    return tuple(word.strip() for word in text.strip("[] ").split(",") if word.strip())


def declared(runs: pd.DataFrame) -> tuple[str, ...]:
    """Return the scientific hyperparameters that the study of these runs declares; () if it declares none."""
    texts = runs.get("study.scientific", pd.Series(dtype=object)).dropna().unique()
    asked = {text: words_of(text) for text in texts if words_of(text)}
    if len(asked) > 1:
        raise ValueError(
            f"these runs are of studies with different questions: {', '.join(asked)}. "
            f"Needed: one. Type for example: python report.py outputs/sweeps/optimizers"
        )
    return next(iter(asked.values()), ())


def guessed(runs: pd.DataFrame, varied: list[str]) -> tuple[str, ...]:
    """Return what the question seems to be where none is declared."""
    ran = runs[runs["status"] != "failed"]  # a wrong value is the reason of many a failure
    named = [key for key in varied if not all(is_number(value) for value in ran[key].dropna().unique())]
    return tuple(named or [key for key in varied if key != "lr"] or varied)


def is_number(value: Any) -> bool:
    """Tell whether the value is a number, and neither true nor false."""
    return pd.api.types.is_number(value) and not pd.api.types.is_bool(value)


def labelled(runs: pd.DataFrame, plan: Design) -> pd.DataFrame:
    """Return the runs with six more columns.

    These are the texts ``arm``, ``setting`` and ``replicate``; and of the completed runs the ``score``, and
    its counterparts on ``train`` and ``test``, NaN where they were not measured.
    """
    completed = runs[runs["status"] == "completed"]
    return runs.assign(
        arm=label(runs, plan.scientific).replace("", "all runs"),
        setting=label(runs, plan.nuisance),
        replicate=label(runs, plan.units),
        **{result: completed.get(plan.score.on(result), math.nan) for result in RESULTS},
    )


def label(runs: pd.DataFrame, keys: tuple[str, ...]) -> pd.Series:
    """Write the values of some keys as ``optimizer=sgd, lr=0.1``, one text for each run; "" without keys."""
    texts = [
        ", ".join(f"{key}={legible(value)}" for key, value in zip(keys, row, strict=True))
        for row in runs[list(keys)].to_numpy(object)
    ]
    return pd.Series(texts, index=runs.index, dtype=object)


def rounded(value: Any) -> str:
    """Write a value for a reader: four significant digits of a number that a search has drawn."""
    return f"{value:.4g}" if isinstance(value, float) and value % 1 else legible(value)


def legible(value: Any) -> str:
    """Write a value so that equal ones read the same, whether they were kept as 1 or as 1.0."""
    if pd.isna(value):
        return "-"
    return f"{value:.12g}" if is_number(value) else str(value)
