"""The pictures of a study in their order, with their captions."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, islice
from typing import NamedTuple

from matplotlib.figure import Figure

from overnight.study.design import labelled
from overnight.study.effort import expected_best, importances
from overnight.study.evidence import Evidence
from overnight.study.figures import answer, cells, curves, overview, response
from overnight.study.figures.style import Colours, colours, in_order, reach_of

MANY = 20  # runs: from here on their distribution says something
MOST_MAPS = 3
MOST_CURVES = 4  # metrics
MOST_LINES = 10
MOST_VALUES = 12  # of a hyperparameter that are drawn as rows or columns


class Picture(NamedTuple):
    """A figure as a report shows it."""

    name: str  # of its files
    title: str  # what it shows, in a few words
    caption: str  # how to read it
    figure: Figure  # drawn, not yet saved


def pictures(evidence: Evidence) -> Iterator[Picture]:
    """Draw all figures that the records of this study give something for."""
    hues = colours(evidence.runs[evidence.plan.scientific[0]]) if evidence.plan.scientific else {}
    yield from _the_answer(evidence, hues)
    yield from _learning(evidence, hues)
    if evidence.settings["score"].notna().any():
        yield from _responses(evidence, hues)
        yield from _heat_maps(evidence)
        yield from _distributions(evidence, hues)
        yield from _effort(evidence, hues)


def _the_answer(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    best, plan, score = evidence.arms.dropna(subset="setting"), evidence.plan, evidence.plan.score
    if len(best) < 2:  # noqa: PLR2004 - one arm is no comparison
        return
    told = [f"Each arm with its best setting by {score.label}, written on the right."]
    if best["test"].notna().any():
        told += [f"{score.on('test')} took no part in the choice."]
    if evidence.sampling:
        told += [score.sampling_error(*evidence.sampling)]
    if len(best) > answer.MOST:
        told += [f"The best {answer.MOST} of {len(best)} arms are drawn."]
    figure = answer.answer(best, evidence.winners, plan, hues)
    yield Picture("answer", f"{score.metric} by {' and '.join(plan.scientific)}", " ".join(told), figure)


def _learning(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    plan, chosen, metric = evidence.plan, evidence.winners, evidence.plan.score.metric
    which = f"the best {curves.MOST} arms" if chosen["arm"].nunique() > curves.MOST else "each arm"
    told = f"Each arm has its best setting by {metric} (second line of the title)."
    if not metric:  # nothing was chosen: the first settings
        plan = replace(plan, scientific=evidence.varied, nuisance=())
        chosen = labelled(evidence.runs[evidence.runs["status"] == "completed"], plan)
        told = f"Settings of {', '.join(evidence.varied)}; at most {curves.MOST} are drawn."
        which = "each setting"
    measured = curves.measures(evidence.logged, metric) if len(chosen) else {}
    for measure, lines in islice(measured.items(), MOST_CURVES):
        yield Picture(
            f"curves_{re.sub(r'[^A-Za-z0-9]+', '_', measure)}",
            f"Learning curves of {which}: {measure}",
            f"{told} Lines are means over the runs; the band is the range of {measure}. Curves of training "
            f"are means over the steps of an epoch, while the weights change.",
            curves.learning_curves(evidence.histories, chosen, plan, hues, measure, lines),
        )
    if len(evidence.runs) >= MANY and plan.scientific and metric in measured:
        yield Picture(
            "all_runs",
            f"{metric} of all runs, by {plan.scientific[0]}",
            "Of the completed runs. Line: the median; dark band: the middle half; light band: all of them; "
            "dashed: the best.",
            curves.all_runs(evidence.histories, evidence.runs, plan, hues),
        )


def _responses(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    first, score = next(iter(evidence.plan.scientific), None), evidence.plan.score
    for key in response.responsive(evidence.settings, evidence.varied):
        hue = first if first != key and len(hues) <= MOST_LINES else None
        yield Picture(
            f"response_{key}",
            f"{score.metric} by {key}" + (f", for each {hue}" if hue else ""),
            "Lines are means over the replicates, the best over all other settings, as far as they are "
            "within the picture; dots are single runs.",
            response.response(evidence.labelled, evidence.settings, key, hue, hues, score),
        )


def _heat_maps(evidence: Evidence) -> Iterator[Picture]:
    settings, score, keys = evidence.settings, evidence.plan.score, drawable(evidence)
    if len(settings) >= MANY and len(evidence.varied) > 1:
        ranked = importances(settings, evidence.varied, score)["key"]
        keys = [key for key in ranked if key in keys]
    numbers = response.responsive(settings, evidence.varied)
    reach = score.written(reach_of(settings["score"], score, cells.WIDEST), 1)
    for row, column in islice(combinations(keys, 2), MOST_MAPS):
        across = (column, row) if row in numbers and column not in numbers else (row, column)
        yield Picture(
            f"heat_{row}_{column}",
            f"Best {score.metric} by {row} and {column}",
            "Means over the replicates, the best over all other settings; the best cell is framed. "
            f"White: worse by {reach} or more. x: all runs did not complete; *: some did.",
            cells.heat_map(settings, *across, score),
        )


def drawable(evidence: Evidence) -> list[str]:
    """Return the hyperparameters whose values are few enough for rows or columns."""
    return [key for key in evidence.varied if len(in_order(evidence.settings[key])) <= MOST_VALUES]


def _distributions(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    settings, score, keys = evidence.settings, evidence.plan.score, tuple(drawable(evidence))
    if len(settings) < MANY / 2 or len(keys) < 2:  # noqa: PLR2004
        return
    yield Picture(
        "effects",
        "Effect of each hyperparameter",
        "All settings of the study, by each of their values. A bad box with a good dot means that this value "
        "works, but only if the other settings suit it.",
        response.effects(settings, keys, hues if keys[0] == evidence.varied[0] else {}, score),
    )
    if len(settings) >= MANY:
        yield Picture(
            "importance",
            "Importance of each hyperparameter",
            "For being among the best fifth of all settings (PED-ANOVA, arXiv:2304.10255), each by itself: "
            "one that matters only together with another has none.",
            overview.importance(importances(settings, evidence.varied, score)),
        )
    if len(evidence.runs) >= MANY:
        yield Picture(
            "parallel",
            f"All runs, from their settings to {score.metric}",
            "Each line is a run; the best ends on top. Lines through the same value lie side by side.",
            overview.parallel(evidence.labelled, keys, score),
        )


def _effort(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    if evidence.settings.groupby("arm").size().max() < 3 or not evidence.plan.scientific:  # noqa: PLR2004
        return
    first, *others = evidence.plan.scientific
    plan = replace(evidence.plan, scientific=(first,), nuisance=(*others, *evidence.plan.nuisance))
    table = expected_best(evidence.runs, plan)
    table["hue"] = table["arm"].str.removeprefix(f"{first}=")
    yield Picture(
        "expected_best",
        f"The gain of tuning: the expected best of k runs, for each {first}",
        f"The {plan.score.metric} to expect of the best of k runs (arXiv:1909.03004, 2004.13705). An arm "
        "whose curve is flat early is easy to tune; the curve ends at its best run.",
        overview.expected(table, hues, plan.score),
    )
