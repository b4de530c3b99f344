"""Which pictures a study gets, in which order, and what stands below them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import NamedTuple

from matplotlib.figure import Figure

from overnight.study.design import labelled, legible
from overnight.study.effort import expected_best
from overnight.study.evidence import Evidence
from overnight.study.figures import answer, cells, curves, effects, overview, response
from overnight.study.figures.style import Colours, colours, in_order
from overnight.study.importance import importances

MANY = 20  # runs: from here on their distribution says something
MOST_MAPS = 3
MOST_LINES = 10
MOST_VALUES = 12  # of a hyperparameter that are drawn as rows or columns


class Picture(NamedTuple):
    """A figure as a report shows it.

    Args:
        name: of its files.
        title: what it shows, in a few words.
        caption: how to read it.
        figure: drawn, not yet saved.
    """

    name: str
    title: str
    caption: str
    figure: Figure


def pictures(evidence: Evidence) -> Iterator[Picture]:
    """Draw all figures that the records of this study give something for."""
    hues = colours(evidence.runs[evidence.plan.scientific[0]]) if evidence.plan.scientific else {}
    for drawn in DRAWN:
        yield from drawn(evidence, hues)


def the_answer(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    """The arms with their intervals."""
    best = evidence.arms.dropna(subset="setting")
    if len(best) < 2:  # noqa: PLR2004 - one arm is no comparison
        return
    more = f" The best {answer.MOST} of {len(best)} arms are drawn." if len(best) > answer.MOST else ""
    yield Picture(
        "answer",
        f"Accuracy by {' and '.join(evidence.plan.scientific)}",
        "Each arm with the setting that validation chose for it (written on the right). The test accuracy "
        f"took no part in the choice. The number of validation images alone leaves an uncertainty of "
        f"± {evidence.validation_sampling:.4f} (95 %).{more}",
        answer.answer(best, evidence.winners, evidence.plan, hues),
    )


def learning(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    """The curves of the best arms, and the spread of all runs."""
    chosen = evidence.winners
    if chosen.empty:
        return
    arms = chosen["arm"].nunique()
    which = f"the best {curves.MOST} of {arms} arms" if arms > curves.MOST else "each arm"
    for measure, name in curves.MEASURES.items():
        yield Picture(
            f"curves_{measure}",
            f"Learning curves of {which}: {name}",
            "With the setting that validation chose (second line of the title). Lines are means over the "
            "runs, the band is the range of their validation results. Train is the running mean of the "
            "epoch, with dropout at work.",
            curves.learning_curves(evidence.histories, chosen, evidence.plan, hues, measure),
        )
    if len(evidence.runs) >= MANY and evidence.plan.scientific:
        yield Picture(
            "all_runs",
            f"Validation accuracy of all runs, by {evidence.plan.scientific[0]}",
            "Of the runs that completed. Line: the median; dark band: their middle half; light band: all of "
            "them; dashed: the best.",
            curves.all_runs(evidence.histories, evidence.runs, evidence.plan, hues),
        )


def responses(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    """Accuracy over each hyperparameter that is a number."""
    first = next(iter(evidence.plan.scientific), None)
    for key in response.responsive(evidence.settings, evidence.varied):
        hue = first if first != key and len(hues) <= MOST_LINES else None
        yield Picture(
            f"response_{key}",
            f"Accuracy by {key}" + (f", for each {hue}" if hue else ""),
            "Lines are means over the replicates, the best over all else that was tuned, as far as they are "
            "within the picture; dots are single runs.",
            response.response(evidence.runs, evidence.settings, key, hue, hues),
        )


def heat_maps(evidence: Evidence, hues: Colours) -> Iterator[Picture]:  # noqa: ARG001 - as all in DRAWN
    """The most important pairs of hyperparameters."""
    if evidence.arms["setting"].isna().all():
        return
    numbers = response.responsive(evidence.settings, evidence.varied)
    pairs = [pair for pair in combinations(ranked(evidence), 2) if drawable(evidence, pair)]
    for row, column in pairs[:MOST_MAPS]:
        yield Picture(
            f"heat_{row}_{column}",
            f"Best validation accuracy by {row} and {column}",
            "Means over the replicates, the best over all else that was tuned; the best cell is framed. "
            f"White: {cells.WIDEST} or more below it. x: all runs diverged or failed; *: some did.",
            cells.heat_map(evidence.settings, *sorted((row, column), key=numbers.__contains__)),
        )


def drawable(evidence: Evidence, keys: tuple[str, ...]) -> bool:
    """Tell whether the values of each key are few enough for rows or columns."""
    return all(len(in_order(evidence.settings[key])) <= MOST_VALUES for key in keys)


def ranked(evidence: Evidence) -> list[str]:
    """Return the hyperparameters, the most important first where there are enough runs to tell."""
    if len(evidence.settings) < MANY or len(evidence.varied) < 2:  # noqa: PLR2004
        return list(evidence.varied)
    return list(importances(evidence.settings, evidence.varied)["key"])


def distributions(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    """What each hyperparameter does over the whole study."""
    keys = tuple(key for key in evidence.varied if drawable(evidence, (key,)))
    if len(evidence.settings) < MANY / 2 or len(keys) < 2:  # noqa: PLR2004
        return
    yield Picture(
        "effects",
        "Effect of each hyperparameter",
        "All settings of the study, by each of their values. A box far to the left whose dot is far to the "
        "right means: this value works, but only if the rest suits it.",
        effects.effects(evidence.settings, keys, hues if keys[0] == evidence.varied[0] else {}),
    )
    if len(evidence.settings) >= MANY:
        yield Picture(
            "importance",
            "Importance of each hyperparameter",
            "For being among the best fifth of all settings (PED-ANOVA, arXiv:2304.10255), each by itself: "
            "one that matters only together with another has none.",
            overview.importance(importances(evidence.settings, evidence.varied)),
        )
    if len(evidence.runs) >= MANY:
        yield Picture(
            "parallel",
            "All runs, from their settings to their accuracy",
            "A line is a run. Lines through the same value lie side by side.",
            overview.parallel(evidence.runs, keys),
        )


def effort(evidence: Evidence, hues: Colours) -> Iterator[Picture]:
    """What more runs would bring."""
    if evidence.settings.groupby("arm").size().max() < 3 or not evidence.plan.scientific:  # noqa: PLR2004
        return
    first, *others = evidence.plan.scientific
    plan = replace(evidence.plan, scientific=(first,), nuisance=(*others, *evidence.plan.nuisance))
    table = expected_best(evidence.runs, plan)
    arms = labelled(evidence.runs, plan).drop_duplicates("arm").set_index("arm")
    table["hue"] = table["arm"].map(arms[first].map(legible))
    yield Picture(
        "expected_best",
        f"What tuning brings: the best of so many runs, for each {first}",
        "The validation accuracy to expect of the best of k runs (arXiv:1909.03004, 2004.13705). A curve "
        "that is flat early is easy to tune; its end is the best run that there was.",
        overview.expected(table, hues),
    )


DRAWN: tuple[Callable[[Evidence, Colours], Iterator[Picture]], ...] = (
    the_answer,
    learning,
    responses,
    heat_maps,
    distributions,
    effort,
)
