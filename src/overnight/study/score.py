"""The score of a study: the metric that its runs were chosen by, and which way is better."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from overnight.records.metric import counterpart
from overnight.records.sampling import half_interval, with_error

DIGITS = 4  # significant ones
MOST_DECIMALS, MOST_DIGITS = 6, 9
RESULTS = ("score", "train", "test")
"""What is known of a run: the score, and the same metric on other samples."""


@dataclass(frozen=True)
class Score:
    """The metric that chose each run's best epoch, and that ranks runs, settings and arms."""

    metric: str | None  # its name as the runs logged it; None if they have none
    mode: str | None = "max"  # or min
    share: bool = False  # of right answers, between 0 and 1, so that its sampling error is known
    decimals: int | None = DIGITS  # so many are written; None: four digits and a power of ten

    @property
    def sign(self) -> int:
        """Return what makes larger values better ones, multiplied by it: 1 or -1."""
        return -1 if self.mode == "min" else 1

    @property
    def label(self) -> str:
        """Return the metric as the label of an axis."""
        return f"{self.metric} (lower is better)" if self.mode == "min" else str(self.metric)

    def on(self, result: str) -> str:
        """Return the metric's name as one of ``RESULTS``; "" if the name does not tell splits apart."""
        if result == "score":
            return str(self.metric)
        name = counterpart(self.metric or "", result)
        return "" if name == self.metric else name

    def ranked(self, table: pd.DataFrame, by: str = "score") -> pd.DataFrame:
        """Return the rows in the order of their scores, the best first and those without one last."""
        return table.sort_values(by, ascending=self.sign < 0, na_position="last", kind="stable")

    def best(self, values: pd.Series) -> float:
        """Return the best of some scores; NaN if there is none."""
        return float(self.sign * (self.sign * values).max())

    def worst(self, values: pd.Series) -> float:
        """Return what a diverged run counts as: no right answer, or the worst of these scores."""
        floor = 0.0 if self.sign > 0 else 1.0
        return floor if self.share else float(self.sign * (self.sign * values).min())

    def bounded(self, values: pd.DataFrame) -> pd.DataFrame:
        """Return the ends of intervals; those of a share end at 0 and 1."""
        return values.clip(0, 1) if self.share else values

    def sampling(self, values: pd.Series, samples: Any) -> pd.Series:
        """Return half the 95 % interval that a sample leaves; NaN if it is not known how to compute it."""
        half: pd.Series = half_interval(values, samples) if self.share else values * math.nan
        return half

    def tested(self, run: Mapping[Any, Any]) -> str:
        """Write a run's result on the test set with its sampling error; "" where there is none."""
        value, samples = run.get(self.on("test"), math.nan), run["test samples"]
        known = int(samples) if self.share and pd.notna(samples) else None
        return f"{self.on('test')} {with_error(value, known)}" if pd.notna(value) else ""

    def written(self, value: float, fewer: int = 0) -> str:
        """Write a score, or a difference between scores, with so many decimals fewer than it is worth."""
        if self.decimals is None:
            return f"{value:.{DIGITS - fewer}g}"
        return f"{value:z.{max(self.decimals - fewer, 0)}f}"

    def signed(self, difference: float) -> str:
        """Write a difference between scores with its sign."""
        return ("+" if difference >= 0 else "") + self.written(difference)

    def mean_std(self, row: Mapping[Any, Any], result: str = "score") -> str:
        """Write a mean of ``arms.settings`` (score, train or test) ± its standard deviation."""
        known = [value for value in (row[result], row[f"{result} std"]) if not math.isnan(value)]
        return " ± ".join(map(self.written, known))

    def sampling_error(self, samples: int, half: float) -> str:
        """Say how far a share may be off because the samples are few."""
        return f"The sampling error of {samples:,} samples alone is ± {self.written(half)} (95 %)."


def scores(runs: pd.DataFrame) -> list[Score]:
    """Return the different scores of some runs; those of failed runs count only if all failed."""
    ran = runs[runs["status"] != "failed"]
    found = (ran if len(ran) else runs)[["metric", "mode", "share"]].astype(object).drop_duplicates()
    rows = found.where(found.notna(), None).itertuples(index=False)
    return [rounded(Score(metric, mode, bool(share)), runs) for metric, mode, share in rows]


def rounded(score: Score, runs: pd.DataFrame) -> Score:
    """Give a score that is no share as many decimals as its best value needs for four significant digits.

    Very small and very large ones are written as in 1.234e-09.
    """
    best = abs(score.best(runs[score.metric])) if score.metric in runs else math.nan
    if score.share or not 0 < best < math.inf:
        return score
    digits_before = math.ceil(math.log10(best / 2))  # 4 decimals for 0.2 to 2
    decimals = max(DIGITS - digits_before, 0)
    legible = decimals <= MOST_DECIMALS and digits_before <= MOST_DIGITS
    return replace(score, decimals=decimals if legible else None)


def score_of(runs: pd.DataFrame) -> Score:
    """Return the one score of these runs; a ValueError if they were chosen by different ones."""
    score, *others = scores(runs)
    if others:
        named = ", ".join(f"{each.metric} ({each.mode})" for each in (score, *others))
        raise ValueError(
            f"these runs were chosen by different metrics: {named}. Needed: runs with one metric and mode; "
            f"report their sweeps separately. Type for example: python report.py outputs/sweeps/NAME"
        )
    return score
