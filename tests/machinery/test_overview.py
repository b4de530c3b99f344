"""Figures of all settings at once: which decide, what each brings, what more tries bring."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import PathPatch

import records
from drawings import drawn, known, lay_out, study, texts
from overnight.study.effort import importances
from overnight.study.figures import overview, response
from overnight.study.score import Score


@pytest.mark.parametrize("score", [records.ACCURACY, records.LOSS], ids=lambda score: score.metric)
def test_effects_show_the_best_of_each_value(score: Score) -> None:
    evidence = study(score)
    (figure,) = drawn(response.effects(evidence))
    dots = {
        (panel.get_ylabel(), float(np.ravel(line.get_xdata())[0]))
        for panel in figure.axes
        for line in panel.lines
        if line.get_markersize() == 5
    }
    best = {
        (key, score.best(rows["score"]))
        for key in evidence.varied
        for _, rows in evidence.settings.groupby(key)
    }
    assert dots == best
    assert "3 of 15 runs did not complete" in "".join(texts(figure))
    lay_out(figure)


@pytest.mark.parametrize("score", [records.ACCURACY, records.LOSS], ids=lambda score: score.metric)
def test_importance_is_given_to_what_decides(score: Score) -> None:
    runs = study(score).runs
    idle = pd.concat([runs.assign(noise=noise) for noise in ("a", "b")], ignore_index=True)
    idle["overrides"] += pd.Series([["noise=a"]] * len(idle))
    evidence = known(idle, ("noise",))
    table = importances(evidence.settings, evidence.varied, score)
    assert table["key"].iloc[0] == "lr"
    assert table["importance"].sum() == pytest.approx(1)
    assert table.set_index("key")["importance"]["noise"] == pytest.approx(0, abs=1e-6)
    lay_out(*drawn(overview.importance(evidence)))


@pytest.mark.parametrize("score", [records.ACCURACY, records.LOSS], ids=lambda score: score.metric)
def test_every_run_with_a_result_has_a_line_from_its_settings_to_its_score(score: Score) -> None:
    evidence = study(score)
    (figure,) = drawn(overview.parallel(evidence))
    (axes,) = figure.axes
    lines = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    runs = evidence.labelled
    assert len(lines) == runs["score"].notna().sum() == 27
    ends = [float(np.asarray(line.get_path().vertices)[-1, 1]) for line in lines]
    assert max(ends) == ends[-1] == 1  # the best is drawn last, and ends on top
    assert sum(line.get_linewidth() > 1 for line in lines) == 10
    heights = overview.spread(runs["optimizer"])
    assert (heights[runs["optimizer"] == "sgd"] > heights[runs["optimizer"] == "adam"].max()).all()
    lay_out(figure)


@pytest.mark.parametrize("score", [records.ACCURACY, records.LOSS], ids=lambda score: score.metric)
def test_what_more_tries_bring_is_drawn_for_each_value(score: Score) -> None:
    evidence = study(score)
    (figure,) = drawn(overview.expected(evidence))
    ends = {str(line.get_label()): float(np.asarray(line.get_ydata())[-1]) for line in figure.axes[0].lines}
    assert ends == pytest.approx(
        {hue: score.best(rows["score"]) for hue, rows in evidence.labelled.groupby("optimizer")}
    )
    lay_out(figure)
