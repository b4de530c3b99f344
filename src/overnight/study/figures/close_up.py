"""What no record says: how the best run errs, and how signals run through the nets before training."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from overnight.records.record import read_record
from overnight.study.design import legible, rounded
from overnight.study.evidence import Evidence
from overnight.study.figures import columns, predictions, style
from overnight.study.figures.style import Picture

INITIALIZATION = "init"  # the group whose options differ in the signals before training
Predictions = tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]
"""Class names, targets, outputs, images, images as learned: see ``overnight.runs.examine.CloseUp``."""


class Examiner(Protocol):
    """What looks into a run again; ``overnight.runs.examine`` has one that does it with torch."""

    def close_up(self, checkpoint: Path) -> Predictions:
        """Predict the test samples with the weights of a checkpoint."""

    def permuted(self, checkpoints: Sequence[Path], metric: str, repeats: int) -> dict[str, list[float]]:
        """Measure what permuting each column adds to a metric of the validation samples."""

    def signals(self, config: dict[str, Any]) -> list[dict[str, float]]:
        """Measure activations and gradients of a net before training, layer by layer."""


def examined(evidence: Evidence, examiner: Examiner) -> tuple[list[Picture], list[str]]:
    """Return the pictures that need checkpoints and data, and the reasons why some could not be drawn."""
    drawn: list[Picture] = []
    missing: dict[str, list[str]] = {}
    shows = {
        "Errors of the best run": best_run,
        "Columns that matter": columns_that_matter,
        "Signals before training": before_training,
    }
    for what, show in shows.items():
        try:
            drawn += show(evidence, examiner)
        except Exception as error:  # noqa: BLE001 - whatever an old run raises, the rest of the report stands
            missing.setdefault(f"{type(error).__name__}: {error}", []).append(what)
    return drawn, [f"{'; '.join(whats)}: not drawn ({why})." for why, whats in missing.items()]


def best_run(evidence: Evidence, examiner: Examiner) -> Iterator[Picture]:
    """Show how the best run errs on the test samples; a ValueError says why it cannot be shown."""
    for best in evidence.winners.head(1).to_dict("records"):
        if pd.isna(best["checkpoint"]):
            raise ValueError(f"{best['name']} saved no checkpoint. Needed: callbacks=default")
        names, targets, outputs, images, altered = examiner.close_up(Path(best["path"]) / best["checkpoint"])
        which = described(best, evidence)
        if altered is not None:
            caption = (
                "On the left are images of the first batch; on the right is what the net is given instead."
            )
            yield Picture("learned", "What the best run learns from", caption, predictions.learned(altered))
        if outputs.ndim == targets.ndim == 1:
            caption = (
                f"{which} Each dot is one of the {len(targets):,} test samples, in the units of the target; "
                f"on the red line the prediction is right."
            )
            figure = predictions.residuals(targets, outputs)
            yield Picture("residuals", "Predictions of the best run", caption, figure)
        elif targets.ndim == 1 and np.issubdtype(targets.dtype, np.integer):
            known, said = (
                pd.Categorical.from_codes(codes, pd.Index(names)) for codes in (targets, outputs.argmax(1))
            )
            answers = pd.DataFrame({"label": known, "prediction": said, "probability": outputs.max(1)})
            yield from _classified(answers, images, which)
        else:
            raise ValueError(
                f"outputs {outputs.shape} and targets {targets.shape}. Needed: probabilities [n, classes] "
                f"for integer targets [n], or numbers [n] for numbers [n]"
            )


def described(best: dict[Any, Any], evidence: Evidence) -> str:
    """Name the best run, and its result on the test set where there is one."""
    score, setting = evidence.plan.score, (f"{key}={rounded(best[key])}" for key in evidence.plan.nuisance)
    labels = (best["arm"], *setting, best["replicate"])
    named = f"The winner's best run by {score.metric} ({', '.join(filter(None, labels))})"
    return ": ".join(filter(None, [named, score.tested(best)])).replace("+-", "±") + "."


def _classified(answers: pd.DataFrame, images: np.ndarray | None, which: str) -> Iterator[Picture]:
    yield Picture(
        "confusion",
        "Which classes the best run confuses",
        f"{which} A cell says how many of a hundred test samples of the true class (row) are taken for "
        f"another (column). Errors are coloured.",
        predictions.confusion(answers),
    )
    yield Picture(
        "by_class",
        "Right answers of the best run, by class",
        f"{which} The bars are 95 % intervals, which follow from the number n of samples of the class.",
        predictions.by_class(answers),
    )
    wrong = answers[answers["label"] != answers["prediction"]].nlargest(predictions.SHOWN, "probability")
    if len(wrong) and images is not None:
        caption = "Each has its true class → predicted class, and the probability that the run gives to it."
        yield Picture(
            "errors", "The errors of which the best run is surest", caption, predictions.errors(wrong, images)
        )


def columns_that_matter(evidence: Evidence, examiner: Examiner) -> Iterator[Picture]:
    """Show by how much the winner is worse without each column of its data, if these are columns."""
    winner = evidence.winners.head(1)["arm"]
    runs = evidence.winners[evidence.winners["arm"].isin(winner)].dropna(subset="checkpoint")
    paths = [Path(path) / name for path, name in zip(runs["path"], runs["checkpoint"], strict=True)]
    changes = examiner.permuted(paths, str(evidence.plan.score.metric), columns.REPEATS)
    if changes:
        yield columns.picture(changes, evidence.plan.score, len(paths))


def before_training(evidence: Evidence, examiner: Examiner) -> Iterator[Picture]:
    """Show how large activations and gradients are before training, where initializations are compared."""
    for best in evidence.winners.head(int(INITIALIZATION in evidence.varied)).to_dict("records"):
        runs = evidence.runs[evidence.runs["status"] != "failed"]
        for key in evidence.varied:
            runs = runs if key == INITIALIZATION else style.having(runs, key, legible(best[key]))
        rows = [
            {"hue": legible(run[INITIALIZATION]), **layer}
            for run in runs.to_dict("records")
            for layer in examiner.signals((read_record(Path(run["path"])) or {})["config"])
        ]
        table = pd.DataFrame(rows).groupby(["hue", "layer"], as_index=False).mean()
        yield Picture(
            "signals",
            "Signals before training, by initialization",
            "Each point is a standard deviation over one batch, and the mean over the seeds. A signal that "
            "grows or shrinks from layer to layer makes deep networks hard to train.",
            predictions.signals(table, style.colours(runs[INITIALIZATION]), INITIALIZATION),
        )
