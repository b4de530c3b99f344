"""The plainest table of runs: who did best. It needs pandas alone, for it ends every sweep."""

import pandas as pd


def varying(runs: pd.DataFrame) -> list[str]:
    """Return the settings that somebody typed and that are not the same in all runs."""
    typed = sorted({override.lstrip("+~").partition("=")[0] for row in runs["overrides"] for override in row})
    return [key for key in typed if key in runs and len(runs[key].unique()) > 1]


def leaderboard(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs by validation accuracy, the best first, with only the settings that differ.

    The test accuracy is not among the columns: it takes no part in a choice.
    """
    columns = [*varying(runs), "val/acc", "train/acc", "epoch", "seconds", "status"]
    ranked = runs.reindex(columns=columns).sort_values("val/acc", ascending=False, na_position="last")
    return ranked.astype({"epoch": "float64"}).reset_index(drop=True)
