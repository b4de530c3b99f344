"""The figures of a report, drawn and not yet saved."""

from collections.abc import Iterator

from overnight.study.evidence import Evidence
from overnight.study.figures import answer, cells, curves, overview, response
from overnight.study.figures.style import Picture

OF_SCORES = (
    curves.all_runs,
    response.responses,
    cells.heat_maps,
    response.effects,
    overview.importance,
    overview.parallel,
    overview.expected,
)


def pictures(evidence: Evidence) -> Iterator[Picture]:
    """Draw all figures that the records of this study give something for."""
    yield from answer.answer(evidence)
    yield from curves.learning_curves(evidence)
    for draw in OF_SCORES if evidence.settings["score"].notna().any() else ():
        yield from draw(evidence)
