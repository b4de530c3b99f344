"""How numbers are written in a report."""

import math
from collections.abc import Mapping
from typing import Any

from overnight.study.design import Design
from overnight.study.score import Score

NAMES = {"seed": "seeds", "data.fold": "folds", "data.split_seed": "splits"}


def mean_std(row: Mapping[Any, Any], result: str, score: Score) -> str:
    """Write an arm's mean score, train or test result with its standard deviation, if there is one."""
    mean, std = row[result], row[f"{result} std"]
    return score.written(mean) + ("" if math.isnan(std) else f" ± {score.written(std)}")


def sampling_error(samples: int, half: float, score: Score) -> str:
    """Say how far a share may be off because the samples are few."""
    return f"The sampling error of {samples:,} samples alone is ± {score.written(half)} (95 %)."


def chance(p: float) -> str:
    """Write a p-value after a comma, or nothing where nothing was tested."""
    return "" if math.isnan(p) else f", p = {legible_p(p)}"


def legible_p(p: float) -> str:
    """Write a p-value, or nothing where nothing was tested."""
    if math.isnan(p):
        return ""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"  # noqa: PLR2004 - three decimals end there


def repeated(n: int, plan: Design) -> str:
    """Say over what a mean was taken, or that it is none."""
    return f" (mean ± standard deviation over {n} {kind(plan)})" if n > 1 else " (one run)"


def over(plan: Design) -> str:
    """Say over what a mean was taken, if over anything."""
    return f" over the {kind(plan)}" if plan.replicates else ""


def kind(plan: Design) -> str:
    """Return what the replicates are."""
    means = ", each the mean of its seeds" if plan.units != plan.replicates else ""
    return (" x ".join(NAMES[key] for key in plan.units) or "runs") + means


def plural(count: int, noun: str) -> str:
    """Write a count with its noun."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def duration(seconds: float) -> str:
    """Write a time as a person would."""
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if hours < 2 else f"{hours:.1f} h"  # noqa: PLR2004
