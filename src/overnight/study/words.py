"""What a report says, in sentences that are computed from its tables."""

import math
from collections.abc import Iterator

from overnight.config.errors import counted
from overnight.records.record import STATUSES
from overnight.study.cautions import NAMED, cautions
from overnight.study.design import candidates, legible
from overnight.study.evidence import Evidence, merged
from overnight.study.verdict import Row, answer, certainty, why_none


def paragraphs(evidence: Evidence) -> dict[str, list[str]]:
    """Return what a reader has to know, sentences under their headings; those without any are left out."""
    best = next(iter(evidence.arms.dropna(subset="setting").to_dict("records")), None)
    parts = {
        "Answer": answer(evidence, best) if best else [why_none(evidence)],
        "How sure": certainty(evidence, best) if best else [],
        "How it was chosen": _choice(evidence, best),
        "What it cost": _cost(evidence),
        "What failed": _failures(evidence),
        "Cautions": [
            *evidence.unfinished,
            *_retyped(evidence),
            *(f"{caution}." for caution in cautions(evidence)),
        ],
    }
    return {title: said for title, sentences in parts.items() if (said := list(sentences))}


REPLACED = ("seed", "study.", "data.fold", "data.split_seed")
"""Keys that a confirmation sets anew."""


def _retyped(evidence: Evidence) -> Iterator[str]:
    """Say with which settings the winners were trained again that no winner had."""
    again, won = evidence.confirming, evidence.winners
    keys = candidates(merged([won, again])) if len(again) else []
    told = [key for key in keys if not key.startswith(REPLACED)]
    other = [f"{key}={legible(new)}" for key in told for new in {*again[key].dropna()} - {*won[key]}]
    if other:
        yield f"The winners were trained again with other settings than they had: {', '.join(sorted(other))}."


def _choice(evidence: Evidence, best: Row | None) -> Iterator[str]:
    plan, asked, metric = evidence.plan, ", ".join(evidence.plan.scientific), evidence.plan.score.metric
    if evidence.guessed and asked:
        yield (
            f"The study declares no question, so the report compares {asked} (--scientific=KEY compares "
            f"another)."
        )
    if not best:
        return
    fewest, most = evidence.arms["settings"].agg(["min", "max"])
    if most > 1:
        each = f"For each arm ({asked}), the" if asked else "The"
        tried = f"{fewest} to {most}" if fewest < most else most
        tuned = f"best of {tried} settings of {', '.join(plan.nuisance)}"
        over = f" over the {plan.kind}" if plan.replicates else ""
        yield f"{each} {tuned} was chosen by the mean {metric}{over}."
    yield f"Each run counts with its best epoch by {metric}."
    if not math.isnan(best["test"]):
        yield "The test samples took no part in any choice."
    if most > 1 or len(evidence.arms) > 1:
        yield f"The best of several is slightly optimistic, because it was chosen by {metric}."


def _cost(evidence: Evidence) -> Iterator[str]:
    runs, again = evidence.runs, evidence.confirming
    yield (
        f"{counted(len(runs), 'run')} in {counted(len(evidence.settings), 'setting')}, "
        f"{counted(int(runs['epochs'].sum()), 'epoch')}, {duration(runs['seconds'].sum())} of training."
    )
    if len(again):
        yield f"And {counted(len(again), 'run')} to confirm the winners, {duration(again['seconds'].sum())}."


def _failures(evidence: Evidence) -> Iterator[str]:
    so_far = " so far" * bool(evidence.unfinished)
    yield from _lost(evidence, "", so_far)
    if evidence.confirmation:
        yield from _lost(evidence.confirmation, " to confirm the winners", so_far)
    if len(evidence.unreadable):
        yield f"{counted(len(evidence.unreadable), 'record')} cannot be read; see below."


def _lost(evidence: Evidence, which: str, so_far: str) -> Iterator[str]:
    runs, table = counted(len(evidence.runs), "run") + which, evidence.budgets
    totals = table[list(STATUSES[1:])].sum()
    if not totals.any():
        yield f"Nothing{so_far}: all of {runs} completed."
    for status in totals.index[totals > 0]:
        arms = table[table[status] > 0].to_dict("records")
        named = "; ".join(f"{row['arm']}: {row[status]} of {row['runs']}" for row in arms)
        where = named if len(arms) <= NAMED else f"in {len(arms)} of {len(table)} arms"
        yield f"{totals[status]} of {runs} {status} ({where})."


def duration(seconds: float) -> str:
    """Write a time as a person would."""
    minutes, hours = seconds / 60, seconds / 3600
    if minutes < 1:
        return f"{seconds:.0f} s"
    return f"{minutes:.0f} min" if hours < 2 else f"{hours:.1f} h"  # noqa: PLR2004
