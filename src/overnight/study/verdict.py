"""The answer of a study, and how sure it is, in sentences."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd

from overnight.config.errors import counted
from overnight.study.cautions import NAMED
from overnight.study.design import rounded
from overnight.study.evidence import Evidence

Row = dict[Any, Any]


def answer(evidence: Evidence, best: Row) -> Iterator[str]:
    """Say which arm is best, by how much it is so on which samples, and whether fresh seeds confirm it."""
    plan, score = evidence.plan, evidence.plan.score
    setting = ", ".join(f"{key}={rounded(best[key])}" for key in plan.nuisance)
    tuned = f" with {setting}" if setting else ""
    over = f"mean ± standard deviation over {best['n']} {plan.kind}" if best["n"] > 1 else "one run"
    reached = f"{score.mean_std(best)} ({over})"
    if len(evidence.arms) > 1:
        yield f"Best by {score.label}: {best['arm']}{tuned}, {score.metric} {reached}."
        yield from _tie(evidence)
    else:
        yield f"{score.metric}{tuned}: {reached}."
    if not math.isnan(best["test"]):
        yield f"On the test set, {score.on('test')} is {score.mean_std(best, 'test')}."
    samples = evidence.winners.loc[evidence.winners["arm"] == best["arm"], "test samples"].max()
    if not math.isnan(best["test sampling"]):
        yield score.sampling_error(int(samples), best["test sampling"])
    elif not math.isnan(best["test"]) and pd.notna(samples):
        yield f"It holds for these {samples:,} test samples."
    if evidence.confirmation:
        yield from _confirmation(evidence.confirmation, best)


def why_none(evidence: Evidence) -> str:
    """Say why there is no answer."""
    metric, names = evidence.plan.score.metric, evidence.logged
    if not evidence.budgets["completed"].any():
        return "No run completed, so there is no answer."
    if metric:
        return f"No completed run has a result for {metric}, so there is no answer."
    example = next((name for name in names if "val" in name), "val_loss")
    return (
        f"These runs have no metric to be compared by, so there is no best. They logged "
        f"{', '.join(names) or 'nothing'}. Type for example: python train.py metric={example} mode=min"
    )


def _tie(evidence: Evidence) -> Iterator[str]:
    rivals = evidence.rivals
    if len(rivals) > 1 and rivals["p"].notna().all() and not rivals["different"].any():
        some = evidence.differences["different"].any()
        none = f"None of the other {len(rivals)} is significantly worse."
        yield none if some else "No difference is significant."


def _confirmation(again: Evidence, best: Row) -> Iterator[str]:
    score, final = again.plan.score, again.final
    arms = score.ranked(again.arms.dropna(subset="setting"), final).to_dict("records")
    for row in (arm for arm in arms if arm["arm"] == best["arm"]):
        other = "" if row["setting"] == best["setting"] else f", with {row['setting']} that won then,"
        also = f", {score.metric} {score.mean_std(row)}" if final == "test" else ""
        reached = f"{score.on(final)} {score.mean_std(row, final)}{also}"
        yield f"Trained again{other} with {counted(row['n'], 'fresh seed')}: {reached}."
    for first in (arm for arm in arms[:1] if arm["arm"] != best["arm"]):
        reached = score.mean_std(first, final) + _ahead_of(again, first["arm"], best["arm"])
        yield f"With the fresh seeds, {first['arm']} has the best {score.on(final)}: {reached}."


def _ahead_of(again: Evidence, first: str, best: str) -> str:
    table, written = again.final_differences, again.plan.score.written
    rows = table[table["a"].isin([first, best]) & table["b"].isin([first, best])].to_dict("records")
    return "".join(f" (by {written(abs(row['difference']))}{chance(row['p holm'])})" for row in rows)


def certainty(evidence: Evidence, best: Row) -> Iterator[str]:
    """Say how far chance may have decided, and from which other arms the best one differs."""
    score, rivals = evidence.plan.score, evidence.rivals
    if best["n"] > 1:
        low, high = (score.written(best[f"score {end}"]) for end in ("low", "high"))
        what = f"{score.metric} over {evidence.plan.kind}"
        spread = f"The 95 % interval of its mean {what} is {low} to {high}."
        if not best["score std"]:
            spread = f"Its {what} is the same {best['n']} times, which tells nothing of the spread."
        yield f"{spread} It holds for these validation samples."
        if evidence.sampling:
            yield score.sampling_error(*evidence.sampling)
    number = evidence.differences["p"].notna().sum()
    corrected = f", after Holm's correction for {number} comparisons" if number > 1 else ""
    worse, tested = rivals["different"], rivals["p"].notna()
    if worse.any():
        yield f"Significantly better than {listed(rivals[worse], evidence)}{corrected}."
    if (tested & ~worse).any():
        yield f"Not significantly better than {listed(rivals[tested & ~worse], evidence)}{corrected}."
    if not tested.all():
        few = "" if (rivals["n"] > 1).all() else " A test needs two or more seeds."
        yield f"Not tested: {listed(rivals[~tested], evidence)}.{few}"


def listed(rivals: pd.DataFrame, evidence: Evidence) -> str:
    """Name some arms by what sets them apart from the best, with how much worse they are; count others."""
    score, named = evidence.plan.score, []
    for row in rivals.head(NAMED).to_dict("records"):
        best, rival = evidence.compared[row["a"]], evidence.compared[row["b"]]
        apart = ", ".join(f"{key}={text}" for key, text in rival.items() if text != best[key])
        behind = f"{score.written(score.sign * row['difference'])}{chance(row['p holm'])}"
        named.append(f"{apart} (by {behind})")
    rest = len(rivals) - len(named)
    return "; ".join(named) + (f"; and {rest} more" if rest else "")


def chance(p: float) -> str:
    """Write a p-value after a comma, or nothing where nothing was tested."""
    return f", p = {legible_p(p)}" if legible_p(p) else ""


def legible_p(p: float) -> str:
    """Write a p-value, or nothing where nothing was tested."""
    if math.isnan(p):
        return ""
    return f"{p:.3f}" if p >= 0.001 else f"{p:.0e}"  # noqa: PLR2004 - three decimals end there
