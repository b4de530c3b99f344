"""What no record says: how the best run errs, and how signals run through the nets before training."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from overnight.records.record import read_record
from overnight.records.sampling import with_error
from overnight.study.design import legible
from overnight.study.evidence import Evidence
from overnight.study.figures import close_up
from overnight.study.figures.style import colours
from overnight.study.gallery import Picture

INITIALIZATION = "init"
"""The group whose options differ in the signals before training, if a study has it."""

LABELS = ("arm", "setting", "replicate")


Predictions = tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray | None, np.ndarray | None]
"""Class names, targets, outputs, images, images as learned: see ``overnight.runs.examine.CloseUp``."""


class Examiner(Protocol):
    """What looks into a run again; ``overnight.runs.examine`` has one that does it with torch."""

    def close_up(self, checkpoint: Path) -> Predictions:
        """Predict the test samples with the weights of a checkpoint."""

    def signals(self, config: dict[str, Any]) -> list[dict[str, float]]:
        """Measure activations and gradients of a net before training, layer by layer."""


def examined(evidence: Evidence, examiner: Examiner) -> tuple[list[Picture], list[str]]:
    """Return the pictures that need checkpoints and data, and the reasons why some could not be drawn."""
    drawn: list[Picture] = []
    missing = []
    for what, draw in (("Errors of the best run", best_run), ("Signals before training", before_training)):
        try:
            drawn += draw(evidence, examiner)
        except Exception as error:  # noqa: BLE001 - whatever an old run raises, the rest of the report stands
            missing.append(f"{what}: not drawn ({type(error).__name__}: {error}).")
    return drawn, missing


def best_run(evidence: Evidence, examiner: Examiner) -> Iterator[Picture]:
    """Draw how the best run errs on the test samples.

    Raises:
        OSError: its checkpoint or the data are not there.
        ValueError: they are damaged; or it saved no checkpoint, or its outputs are of no known kind.
    """
    for best in evidence.winners.head(1).to_dict("records"):
        if pd.isna(best["checkpoint"]):
            raise ValueError(f"{best['name']} saved no checkpoint. Needed: callbacks=default")
        names, targets, outputs, images, learned = examiner.close_up(Path(best["path"]) / best["checkpoint"])
        which = described(best, evidence)
        if learned is not None:
            caption = "The first batch of training. Left: the image as it is; right: as the net learns it."
            yield Picture("learned", "What the best run learns from", caption, close_up.learned(learned))
        if outputs.ndim == targets.ndim == 1:
            caption = f"{which} Each dot is a test sample; on the red line the prediction is right."
            figure = close_up.residuals(targets, outputs)
            yield Picture("residuals", "Predictions of the best run", caption, figure)
        elif targets.ndim == 1 and np.issubdtype(targets.dtype, np.integer):
            answers = {"label": targets, "prediction": outputs.argmax(1), "probability": outputs.max(1)}
            yield from _classified(pd.DataFrame(answers), names, images, which)
        else:
            raise ValueError(
                f"outputs {outputs.shape} and targets {targets.shape}. Needed: probabilities [n, classes] "
                f"for integer targets [n], or numbers [n] for numbers [n]"
            )


def described(best: dict[Any, Any], evidence: Evidence) -> str:
    """Name the best run, and its result on the test set where there is one."""
    score, settings = evidence.plan.score, ", ".join(filter(None, map(best.get, LABELS)))
    reached = ""
    if pd.notna(best["test"]):
        data = {"test": best["test samples"]} if pd.notna(best["test samples"]) else None
        reached = f": {score.on('test')} {with_error(best['test'], score.share, data)}"
    return f"The winner's best run by {score.metric} ({settings}){reached}.".replace("+-", "±")


def _classified(
    answers: pd.DataFrame, names: tuple[str, ...], images: np.ndarray | None, which: str
) -> Iterator[Picture]:
    yield Picture(
        "confusion",
        "Which classes the best run confuses",
        f"{which} Of a hundred test samples of each true class (row), so many are taken for each class "
        f"(column); errors are coloured.",
        close_up.confusion(answers, names),
    )
    yield Picture(
        "by_class",
        "Right answers of the best run, by class",
        f"{which} Bars are 95 % intervals for the number of samples.",
        close_up.by_class(answers, names),
    )
    wrong = answers[answers["label"] != answers["prediction"]].nlargest(close_up.SHOWN, "probability")
    if len(wrong) and images is not None:
        caption = "True class → predicted class, and the probability that the run gives it."
        figure = close_up.errors(wrong, images[wrong.index], names)
        yield Picture("errors", "The errors of which the best run is surest", caption, figure)


def before_training(evidence: Evidence, examiner: Examiner) -> Iterator[Picture]:
    """Draw how large activations and gradients are before training, where initializations are compared.

    Raises:
        OSError: the data is not there.
        ValueError: it is damaged.
    """
    for best in evidence.winners.head(int(INITIALIZATION in evidence.varied)).to_dict("records"):
        runs = evidence.runs[evidence.runs["status"] != "failed"]
        for key in evidence.varied:
            if key != INITIALIZATION:
                runs = runs[runs[key].map(legible) == legible(best[key])]
        rows = [
            {"hue": legible(run[INITIALIZATION]), **layer}
            for run in runs.to_dict("records")
            for layer in examiner.signals((read_record(Path(run["path"])) or {})["config"])
        ]
        table = pd.DataFrame(rows).groupby(["hue", "layer"], as_index=False).mean()
        yield Picture(
            "signals",
            "Signals before training, by initialization",
            "Standard deviations over one batch, means over the seeds. A signal that grows or shrinks from "
            "layer to layer makes deep networks hard to train.",
            close_up.signals(table, colours(runs[INITIALIZATION]), INITIALIZATION),
        )
