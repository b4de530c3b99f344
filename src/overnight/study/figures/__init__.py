"""The figures of a report, drawn and not yet saved."""

from collections.abc import Iterator

from overnight.study.evidence import Evidence
from overnight.study.figures import answer, cells, curves, overview, response
from overnight.study.figures.style import Picture


def pictures(evidence: Evidence) -> Iterator[Picture]:
    """Draw all figures that the records of this study give something for."""
    yield from answer.answer(evidence)
    yield from curves.learning_curves(evidence)
    if evidence.settings["score"].notna().any():
        yield from curves.all_runs(evidence)
        yield from response.responses(evidence)
        yield from cells.heat_maps(evidence)
        yield from response.effects(evidence)
        yield from overview.importance(evidence)
        yield from overview.parallel(evidence)
        yield from overview.expected(evidence)
