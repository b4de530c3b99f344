"""What a study says, in sentences that are computed from its tables."""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from fcnlab.study.design import Design, legible
from fcnlab.study.evidence import Evidence

NAMES = {"seed": "seeds", "data.fold": "folds", "data.split_seed": "splits"}
NAMED = 4  # arms in a sentence; the table has all

Row = dict[Any, Any]


class Paragraph(NamedTuple):
    """Some sentences under a heading."""

    title: str
    sentences: list[str]


def paragraphs(evidence: Evidence) -> list[Paragraph]:
    """Return what a reader has to know, the answer first; what there is nothing to say of is left out."""
    parts = {
        "Answer": answer(evidence),
        "How sure": certainty(evidence),
        "How it was chosen": choice(evidence),
        "What it cost": cost(evidence),
        "What failed": failures(evidence),
        "Cautions": iter(f"{caution}." for caution in evidence.cautions),
    }
    said = [Paragraph(title, list(sentences)) for title, sentences in parts.items()]
    return [paragraph for paragraph in said if paragraph.sentences]


def answer(evidence: Evidence) -> Iterator[str]:
    """Name the best arm, its validation accuracy and, once, its test accuracy."""
    best = best_arm(evidence)
    if best is None:
        yield "No run completed, so there is no answer."
        return
    tuned = f" with {best['setting']}" if best["setting"] else ""
    accuracy = mean_std(best["val/acc"], best["val/acc std"])
    of = repeated(best["n"], evidence.plan)
    yield f"Best on validation: {best['arm']}{tuned}, accuracy {accuracy}{of}."
    test = mean_std(best["test/acc"], best["test/acc std"])
    images = int(evidence.runs["data.test"].max())
    yield (
        f"On the {images:,} test images it reaches {test}; their number alone leaves an uncertainty of "
        f"± {best['test/acc sampling']:.4f} (95 %)."
    )
    yield from confirmation(evidence, best)


def confirmation(evidence: Evidence, best: Row) -> Iterator[str]:
    """Say what the winner reached when it was trained again."""
    table = evidence.confirmed
    for row in table[table["arm"] == best["arm"]].to_dict("records"):
        test, val = (mean_std(row[name], row[f"{name} std"]) for name in ("test/acc", "val/acc"))
        yield (
            f"Trained again with {row['n']} fresh seeds, which took no part in the choice: test {test}, "
            f"validation {val}."
        )


def certainty(evidence: Evidence) -> Iterator[str]:
    """Say which arms the best one is better than, and from which it cannot be told apart."""
    best = best_arm(evidence)
    if best is None:
        return
    if best["n"] > 1:
        yield (
            f"95 % interval of the best arm's validation accuracy: {best['val/acc low']:.4f} to "
            f"{best['val/acc high']:.4f}."
        )
    rivals = against(evidence, best["arm"])
    worse, tied = rivals[rivals["different"]], rivals[~rivals["different"] & rivals["p"].notna()]
    untested = rivals[rivals["p"].isna()]
    number = int(evidence.differences["p"].notna().sum())
    corrected = f"after Holm's correction for {number} comparisons" if number > 1 else "uncorrected"
    if len(worse):
        yield f"Significantly better than {listed(worse, evidence)} ({corrected})."
    if len(tied):
        yield f"Not significantly different from {listed(tied, evidence)} ({corrected})."
    if len(untested):
        yield f"Not tested, for want of repetitions that vary: {listed(untested, evidence)}."


def against(evidence: Evidence, best: str) -> pd.DataFrame:
    """Return the comparisons of the best arm with the others."""
    return evidence.differences[evidence.differences["a"] == best]


def listed(rivals: pd.DataFrame, evidence: Evidence) -> str:
    """Name some arms with how much worse they are, and count the others."""
    named = [
        f"{apart(row['a'], row['b'], evidence)} (by {row['difference']:.4f}{chance(row['p holm'])})"
        for row in rivals.head(NAMED).to_dict("records")
    ]
    rest = len(rivals) - len(named)
    return "; ".join(named) + (f"; and {rest} more" if rest else "")


def apart(best: str, rival: str, evidence: Evidence) -> str:
    """Name a rival by what it has other than the best arm."""
    keys = list(evidence.plan.scientific)
    values = evidence.arms.set_index("arm")[keys].map(legible).T.to_dict()
    return ", ".join(f"{key}={value}" for key, value in values[rival].items() if value != values[best][key])


def chance(p: float) -> str:
    """Write a p-value after a comma, or nothing where nothing was tested."""
    return "" if math.isnan(p) else f", p = {legible_p(p)}"


def legible_p(p: float) -> str:
    """Write a p-value, or nothing where nothing was tested."""
    if math.isnan(p):
        return ""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"  # noqa: PLR2004 - three decimals end there


def choice(evidence: Evidence) -> Iterator[str]:
    """Say how the settings were chosen."""
    plan = evidence.plan
    if plan.nuisance:
        counts = evidence.arms["settings"].unique()
        many = f"{counts.min()}" if len(counts) == 1 else f"{counts.min()} to {counts.max()}"
        yield (
            f"For each arm ({', '.join(plan.scientific) or 'all runs'}) the best of {many} settings of "
            f"{', '.join(plan.nuisance)}, by the mean validation accuracy{over(plan)}."
        )
    yield "Each run counts with its best epoch on validation. The test images took no part in any choice."
    if plan.nuisance:
        yield "Being the best of several, a chosen setting is flattered a little by its validation accuracy."


def cost(evidence: Evidence) -> Iterator[str]:
    """Say how many runs, epochs and hours the study took."""
    runs = evidence.runs
    yield (
        f"{len(runs)} runs in {len(evidence.settings)} settings, {int(runs['epochs'].sum()):,} epochs, "
        f"{duration(runs['seconds'].sum())} of training."
    )
    if len(evidence.confirming):
        again = evidence.confirming
        yield f"And {len(again)} runs to confirm the winners, {duration(again['seconds'].sum())}."


def failures(evidence: Evidence) -> Iterator[str]:
    """Say how many runs did not end well, by arm, and how many records cannot be read."""
    totals = evidence.outcomes[["completed", "diverged", "failed"]].sum()
    if totals["completed"] == len(evidence.runs):
        yield f"Nothing: all {len(evidence.runs)} runs completed."
    for status in ("diverged", "failed"):
        if totals[status]:
            arms = evidence.outcomes[evidence.outcomes[status] > 0].to_dict("records")
            named = "; ".join(f"{row['arm']}: {row[status]} of {row['runs']}" for row in arms)
            where = named if len(arms) <= NAMED else f"in {len(arms)} of {len(evidence.outcomes)} arms"
            yield f"{totals[status]} of {len(evidence.runs)} runs {status} ({where})."
    if len(evidence.unreadable):
        yield f"{len(evidence.unreadable)} records cannot be read; they are listed below."


def best_arm(evidence: Evidence) -> Row | None:
    """Return the row of the best arm, or None where no run completed."""
    ranked = evidence.arms.dropna(subset="setting").to_dict("records")
    return ranked[0] if ranked else None


def mean_std(mean: float, std: float) -> str:
    """Write a mean with its standard deviation, if there is one."""
    return f"{mean:.4f}" + (f" ± {std:.4f}" if not math.isnan(std) else "")


def repeated(n: int, plan: Design) -> str:
    """Say over what a mean was taken."""
    return f" (mean ± standard deviation of {n} {kind(plan)})" if n > 1 else " (one run)"


def over(plan: Design) -> str:
    """Say over what a mean was taken, if over anything."""
    return f" over the {kind(plan)}" if plan.replicates else ""


def kind(plan: Design) -> str:
    """Return what the replicates are."""
    return " x ".join(NAMES[key] for key in plan.replicates) or "runs"


def duration(seconds: float) -> str:
    """Write a time as a person would."""
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if hours < 2 else f"{hours:.1f} h"  # noqa: PLR2004
