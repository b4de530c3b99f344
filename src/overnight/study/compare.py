"""The plainest table of runs: who did best. It needs pandas alone, for it ends every sweep."""

import pandas as pd

from overnight.study.score import scores


def varying(runs: pd.DataFrame) -> list[str]:
    """Return the settings that somebody typed and that are not the same in all runs."""
    typed = sorted({override.lstrip("+~").partition("=")[0] for row in runs["overrides"] for override in row})
    return [key for key in typed if key in runs and len(runs[key].unique()) > 1]


def leaderboard(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the completed runs by their metric, the best first, then the others; settings that differ only.

    The metric on the test set is not among the columns: it takes no part in a choice. Runs that were chosen
    by different metrics, or by none, keep their order.
    """
    found = scores(runs)
    names = dict.fromkeys(name for score in found for name in (score.metric, score.on("train")) if name)
    known = [name for name in names if name in runs and runs[name].notna().any()]
    if len(found) == 1 and found[0].metric in known:
        ranked = found[0].ranked(runs, str(found[0].metric))
    else:
        ranked = runs
    ranked = ranked.sort_values("status", key=lambda status: status != "completed", kind="stable")
    columns = [*varying(runs), *known, *["epoch"] * bool(known), "seconds", "status"]
    return ranked[columns].astype({"epoch": "float64"} if known else {}).reset_index(drop=True)
