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
from overnight.study.figures import classes, signals
from overnight.study.figures.style import colours
from overnight.study.gallery import Picture


class Predictions(Protocol):
    """See ``overnight.runs.examine.CloseUp``."""

    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def labels(self) -> np.ndarray: ...  # noqa: D102
    @property
    def predictions(self) -> np.ndarray: ...  # noqa: D102
    @property
    def probabilities(self) -> np.ndarray: ...  # noqa: D102
    @property
    def images(self) -> np.ndarray: ...  # noqa: D102


class Examiner(Protocol):
    """What looks into a run again; the module ``overnight.runs.examine`` does it with torch."""

    def close_up(self, checkpoint: Path) -> Predictions:
        """Predict the test images with the weights of a checkpoint."""

    def signals(self, config: dict[str, Any]) -> list[dict[str, float]]:
        """Measure activations and gradients of a net before training, layer by layer."""


def examined(evidence: Evidence, examiner: Examiner) -> tuple[list[Picture], list[str]]:
    """Return the pictures that need checkpoints and images, and the reasons why some could not be drawn."""
    drawn: list[Picture] = []
    missing = []
    for what, draw in (("Errors of the best run", best_run), ("Signals before training", before_training)):
        try:
            drawn += draw(evidence, examiner)
        except Exception as error:  # noqa: BLE001 - whatever an old run raises, the rest of the report stands
            missing.append(f"{what}: not drawn ({type(error).__name__}: {error}).")
    return drawn, missing


def best_run(evidence: Evidence, examiner: Examiner) -> Iterator[Picture]:
    """Draw the confusion matrix, the accuracy on each class and the surest errors of the best run.

    Raises:
        OSError: its checkpoint or the images are not there.
        ValueError: they are damaged, or it saved no checkpoint.
    """
    for best in evidence.winners.head(1).to_dict("records"):
        if pd.isna(best["checkpoint"]):
            raise ValueError(f"{best['name']} saved no checkpoint. Needed: callbacks=default")
        seen = examiner.close_up(Path(best["path"]) / best["checkpoint"])
        table = pd.DataFrame(
            {"label": seen.labels, "prediction": seen.predictions, "probability": seen.probabilities}
        )
        settings = ", ".join(filter(None, (best["arm"], best["setting"], best["replicate"])))
        accuracy = with_error(best["test/acc"], len(table)).replace("+-", "±")
        which = f"The winner's best run on validation ({settings}): test accuracy {accuracy}."
        yield confusion(table, seen, which)
        yield by_class(table, seen, which)
        yield from errors(table, seen)


def confusion(table: pd.DataFrame, seen: Predictions, which: str) -> Picture:
    """Draw which classes are taken for which."""
    caption = (
        f"{which} Of a hundred images of each true class (row) so many are taken for each class (column); "
        f"errors are coloured."
    )
    figure = classes.confusion(table, seen.classes)
    return Picture("confusion", "Which classes the best run confuses", caption, figure)


def by_class(table: pd.DataFrame, seen: Predictions, which: str) -> Picture:
    """Draw the accuracy on each class."""
    caption = f"{which} Bars are 95 % intervals for the number of images."
    figure = classes.by_class(table, seen.classes)
    return Picture("by_class", "Accuracy of the best run on each class", caption, figure)


def errors(table: pd.DataFrame, seen: Predictions) -> Iterator[Picture]:
    """Draw the errors, if there are any."""
    wrong = table[table["label"] != table["prediction"]].nlargest(classes.SHOWN, "probability")
    if len(wrong):
        caption = "True class → predicted class, and the probability that the run gives it."
        figure = classes.errors(wrong, seen.images[wrong.index], seen.classes)
        yield Picture("errors", "The errors of which the best run is surest", caption, figure)


def before_training(evidence: Evidence, examiner: Examiner) -> Iterator[Picture]:
    """Draw how large activations and gradients are before training, where initializations are compared.

    Raises:
        OSError: the images are not there.
        ValueError: they are damaged.
    """
    for best in evidence.winners.head(int("init" in evidence.varied)).to_dict("records"):
        runs = evidence.runs[evidence.runs["status"] != "failed"]
        for key in evidence.varied:
            if key != "init":
                runs = runs[runs[key].map(legible) == legible(best[key])]
        rows = [
            {"hue": legible(run["init"]), **layer}
            for run in runs.to_dict("records")
            for layer in examiner.signals((read_record(Path(run["path"])) or {})["config"])
        ]
        table = pd.DataFrame(rows).groupby(["hue", "layer"], as_index=False).mean()
        yield Picture(
            "signals",
            "Signals before training, by initialization",
            "Standard deviations over one batch, means over the seeds. A signal that grows or shrinks from "
            "layer to layer makes deep networks hard to train.",
            signals.signals(table, colours(runs["init"]), "init"),
        )
