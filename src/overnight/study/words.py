"""What a study says, in sentences that are computed from its tables."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from overnight.study.design import legible
from overnight.study.evidence import Evidence
from overnight.study.phrases import chance, duration, kind, mean_std, over, plural, repeated

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


def best_arm(evidence: Evidence) -> Row | None:
    """Return the row of the best arm, or None where no run completed."""
    ranked = evidence.arms.dropna(subset="setting").to_dict("records")
    return ranked[0] if ranked else None


def answer(evidence: Evidence) -> Iterator[str]:
    """Name the best arm, its validation accuracy and, once, its test accuracy."""
    best = best_arm(evidence)
    if best is None:
        yield "No run completed, so there is no answer."
        return
    tuned = f" with {best['setting']}" if best["setting"] else ""
    accuracy = mean_std(best["val/acc"], best["val/acc std"]) + repeated(best["n"], evidence.plan)
    if len(evidence.arms) > 1:
        yield f"Best on validation: {best['arm']}{tuned}, accuracy {accuracy}."
        yield from tie(against(evidence, best["arm"]))
    else:
        yield f"Validation accuracy{tuned}: {accuracy}."
    test = mean_std(best["test/acc"], best["test/acc std"])
    images = int(evidence.runs["data.test"].max())
    yield (
        f"On the {images:,} test images it reaches {test}; their number alone leaves an uncertainty of "
        f"± {best['test/acc sampling']:.4f} (95 %)."
    )
    if evidence.confirmation:
        yield from confirmation(evidence.confirmation, best)


def tie(rivals: pd.DataFrame) -> Iterator[str]:
    """Say that no other arm is worse for sure, if that was tested."""
    if len(rivals) > 1 and rivals["p"].notna().all() and not rivals["different"].any():
        yield f"None of the other {len(rivals)} is significantly worse."


def confirmation(again: Evidence, best: Row) -> Iterator[str]:
    """Say what the winner reached when it was trained again, and whether another one did better."""
    arms = again.arms.dropna(subset="setting")
    for row in arms[arms["arm"] == best["arm"]].to_dict("records"):
        test, val = (mean_std(row[name], row[f"{name} std"]) for name in ("test/acc", "val/acc"))
        other = "" if row["setting"] == best["setting"] else f", with {row['setting']} that won then,"
        yield f"Trained again{other} with {row['n']} fresh seeds: test {test}, validation {val}."
    for first in arms.nlargest(1, "test/acc").to_dict("records"):
        if first["arm"] != best["arm"]:
            reached = mean_std(first["test/acc"], first["test/acc std"])
            ahead = apart_on_test(again, {first["arm"], best["arm"]})
            yield f"With the fresh seeds, {first['arm']} is the best on the test images: {reached}{ahead}."


def apart_on_test(again: Evidence, both: set[str]) -> str:
    """Say how far two arms that were trained again are apart on the test images."""
    table = again.test_differences
    rows = table[table["a"].isin(both) & table["b"].isin(both)].to_dict("records")
    return "".join(f" (by {abs(row['difference']):.4f}{chance(row['p holm'])})" for row in rows)


def certainty(evidence: Evidence) -> Iterator[str]:
    """Say which arms the best one is better than, and from which it cannot be told apart."""
    best = best_arm(evidence)
    if best is None:
        return
    if best["n"] > 1:
        yield (
            f"95 % interval of its mean validation accuracy over {kind(evidence.plan)}: "
            f"{best['val/acc low']:.4f} to {best['val/acc high']:.4f}. It holds for these validation images; "
            f"their number leaves a further uncertainty of ± {evidence.validation_sampling:.4f}."
        )
    rivals = against(evidence, best["arm"])
    number = int(evidence.differences["p"].notna().sum())
    corrected = f"after Holm's correction for {number} comparisons" if number > 1 else "uncorrected"
    worse, tested = rivals["different"], rivals["p"].notna()
    if worse.any():
        yield f"Significantly better than {listed(rivals[worse], evidence)} ({corrected})."
    if (tested & ~worse).any():
        yield f"Not significantly different from {listed(rivals[tested & ~worse], evidence)} ({corrected})."
    if not tested.all():
        yield f"Not tested, for want of repetitions that vary: {listed(rivals[~tested], evidence)}."


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


def choice(evidence: Evidence) -> Iterator[str]:
    """Say what was asked, and how the settings were chosen."""
    plan, asked = evidence.plan, ", ".join(evidence.plan.scientific)
    if evidence.guessed and asked:
        yield f"The study declares no question; {asked} was taken for it (--scientific=KEY asks another)."
    if best_arm(evidence) is None:
        return
    most = int(evidence.arms["settings"].max())
    if most > 1:
        each = f"For each arm ({asked}) the" if asked else "The"
        tuned = f"best of {most} settings of {', '.join(plan.nuisance)}"
        yield f"{each} {tuned}, by the mean validation accuracy{over(plan)}."
    yield "Each run counts with its best epoch on validation. The test images took no part in any choice."
    if most > 1 or len(evidence.arms) > 1:
        yield "The best of several is flattered a little by the validation accuracy that it was chosen by."


def cost(evidence: Evidence) -> Iterator[str]:
    """Say how many runs, epochs and hours the study took."""
    runs, again = evidence.runs, evidence.confirming
    yield (
        f"{plural(len(runs), 'run')} in {plural(len(evidence.settings), 'setting')}, "
        f"{int(runs['epochs'].sum()):,} epochs, {duration(runs['seconds'].sum())} of training."
    )
    if len(again):
        yield f"And {plural(len(again), 'run')} to confirm the winners, {duration(again['seconds'].sum())}."


def failures(evidence: Evidence) -> Iterator[str]:
    """Say how many runs did not end well, by arm, and how many records cannot be read."""
    yield from lost(evidence, "")
    if evidence.confirmation:
        yield from lost(evidence.confirmation, " that confirm the winners")
    if len(evidence.unreadable):
        yield f"{plural(len(evidence.unreadable), 'record')} cannot be read; see below."


def lost(evidence: Evidence, which: str) -> Iterator[str]:
    """Count the runs that diverged or failed."""
    runs = plural(len(evidence.runs), "run") + which
    totals = evidence.outcomes[["diverged", "failed"]].sum()
    if not totals.any():
        yield f"Nothing: of {runs}, all completed."
    for status in totals.index[totals > 0]:
        arms = evidence.outcomes[evidence.outcomes[status] > 0].to_dict("records")
        named = "; ".join(f"{row['arm']}: {row[status]} of {row['runs']}" for row in arms)
        where = named if len(arms) <= NAMED else f"in {len(arms)} of {len(evidence.outcomes)} arms"
        yield f"{totals[status]} of {runs} {status} ({where})."
