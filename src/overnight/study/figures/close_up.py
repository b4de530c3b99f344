"""What no record says: how the best run errs, and how signals run through the nets before training."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from statsmodels.stats.proportion import proportion_confint

from overnight.records.record import read_record
from overnight.records.sampling import with_error
from overnight.study.design import legible, rounded
from overnight.study.evidence import Evidence
from overnight.study.figures import columns, style
from overnight.study.figures.cells import draw
from overnight.study.figures.style import ACCENT, NEUTRAL, Colours, Picture, panels

INITIALIZATION = "init"  # the group whose options differ in the signals before training
SHOWN = 24  # images
MOST_OPAQUE = 500  # samples: of more, the dots are faint
QUANTITIES = {"activation": "std of the layer's output", "gradient": "std of the gradient of its weights"}

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
    """Show how the best run errs on the test samples.

    Raises:
        ValueError: it saved no checkpoint, or its outputs are of no known kind; and what the examiner raises.
    """
    for best in evidence.winners.head(1).to_dict("records"):
        if pd.isna(best["checkpoint"]):
            raise ValueError(f"{best['name']} saved no checkpoint. Needed: callbacks=default")
        names, targets, outputs, images, altered = examiner.close_up(Path(best["path"]) / best["checkpoint"])
        which = described(best, evidence)
        if altered is not None:
            caption = (
                "On the left are images of the first batch; on the right is what the net is given instead."
            )
            yield Picture("learned", "What the best run learns from", caption, learned(altered))
        if outputs.ndim == targets.ndim == 1:
            caption = (
                f"{which} Each dot is one of the {len(targets):,} test samples, in the units of the target; "
                f"on the red line the prediction is right."
            )
            figure = residuals(targets, outputs)
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
    reached = ""
    if pd.notna(best["test"]):
        data = {"test": best["test samples"]} if pd.notna(best["test samples"]) else None
        reached = f": {score.on('test')} {with_error(best['test'], score.share, data)}"
    return f"The winner's best run by {score.metric} ({', '.join(filter(None, labels))}){reached}.".replace(
        "+-", "±"
    )


def _classified(answers: pd.DataFrame, images: np.ndarray | None, which: str) -> Iterator[Picture]:
    yield Picture(
        "confusion",
        "Which classes the best run confuses",
        f"{which} A cell says how many of a hundred test samples of the true class (row) are taken for "
        f"another (column). Errors are coloured.",
        confusion(answers),
    )
    yield Picture(
        "by_class",
        "Right answers of the best run, by class",
        f"{which} The bars are 95 % intervals, which follow from the number n of samples of the class.",
        by_class(answers),
    )
    wrong = answers[answers["label"] != answers["prediction"]].nlargest(SHOWN, "probability")
    if len(wrong) and images is not None:
        caption = "Each has its true class → predicted class, and the probability that the run gives to it."
        yield Picture("errors", "The errors of which the best run is surest", caption, errors(wrong, images))


def confusion(answers: pd.DataFrame) -> Figure:
    """Draw how many in a hundred samples of each true class are taken for which; errors only are coloured.

    ``answers`` has a row for each sample: ``label prediction``, both categories.
    """
    table = pd.crosstab(answers["label"], answers["prediction"], normalize="index", dropna=False) * 100
    wrong = table.mask(np.eye(len(table), dtype=bool), 0.0)
    size = min(len(table), 10)
    figure, (axes,) = panels(1, 1, 2.5 + 0.4 * size, 1.2 + 0.34 * size)
    texts = table.map(lambda share: f"{share:.1f}" if share else "")
    draw(axes, wrong, texts, (0.0, max(wrong.to_numpy().max(), 1.0)))
    long = max(map(len, table.columns)) > 3  # noqa: PLR2004 - letters stand side by side
    for label in axes.get_xticklabels() if long else ():
        label.set(rotation=40, horizontalalignment="right", rotation_mode="anchor")
    axes.set(xlabel="predicted class", ylabel="true class")
    return figure


def by_class(answers: pd.DataFrame) -> Figure:
    """Draw the share of right answers by class, the worst on top, with Wilson's 95 % intervals.

    These are not symmetric: where all of nine samples are right, it reaches down to 0.70.
    """
    right = (answers["label"] == answers["prediction"]).groupby(answers["label"], observed=True)
    ranked = right.agg(["mean", "sum", "size"]).sort_values("mean", ascending=False)
    figure, (axes,) = panels(1, 1, 6.5, 0.8 + 0.22 * min(len(ranked), 10))
    low, high = proportion_confint(ranked["sum"], ranked["size"], method="wilson")
    places, shares = range(len(ranked)), ranked["mean"]
    axes.hlines(places, low, high, color=NEUTRAL)
    axes.plot(shares, places, "o", color=NEUTRAL, markersize=5)
    for position, share in enumerate(shares):
        above: Any = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center", "va": "bottom"}
        axes.annotate(f"{share:.3f}", (share, position), fontsize=7, **above)
    counted = zip(ranked.index, ranked["size"], strict=True)
    axes.set_yticks(places, [f"{name} (n={size})" for name, size in counted])
    axes.set_xlim(right=min(axes.get_xlim()[1], 1.005))
    axes.set_ylim(-0.5, len(ranked) - 0.2)
    axes.set_xlabel("share of the test samples of the class that are right")
    return figure


def errors(wrong: pd.DataFrame, images: np.ndarray) -> Figure:
    """Draw the images [n, height, width] of some of n answers, with these and their ``probability``."""
    figure, axes = panels(len(wrong), 6, 1.08, 1.35)
    for panel, image, row in zip(axes, images[wrong.index], wrong.to_dict("records"), strict=True):
        panel.imshow(image, cmap="gray_r")
        panel.set_axis_off()
        text = f"{row['label']}\n→ {row['prediction']} {row['probability']:.2f}"
        panel.set_title(text, fontsize=6.5, loc="center")
    return figure


def learned(pairs: np.ndarray) -> Figure:
    """Draw images of training [n, 2, height, width], each as it is and, beside it, as the net is given it."""
    figure, axes = panels(min(SHOWN, len(pairs)), 6, 1.08, 0.7)
    for panel, pair in zip(axes, pairs, strict=False):
        apart = np.pad(pair, ((0, 0), (0, 0), (1, 1)), constant_values=np.nan)
        panel.imshow(np.pad(np.hstack([*apart]), ((0, 0), (3, 3)), constant_values=np.nan), cmap="gray_r")
        panel.set_axis_off()
    return figure


def residuals(targets: np.ndarray, outputs: np.ndarray) -> Figure:
    """Draw predicted [n] against true numbers [n], and residuals against predicted ones."""
    figure, (left, right) = panels(2, 2, 3.25, 3.0)
    faint = min(1.0, max(0.1, MOST_OPAQUE / len(targets)))
    looks: Any = {"color": NEUTRAL, "markersize": 3, "rasterized": True, "alpha": faint}
    left.plot(targets, outputs, ".", **looks)
    left.axline((float(targets.mean()), float(targets.mean())), slope=1, color=ACCENT, linewidth=1)
    low, high = min(targets.min(), outputs.min()), max(targets.max(), outputs.max())
    ends = low - 0.05 * (high - low), high + 0.05 * (high - low)
    left.set(xlabel="true", ylabel="predicted", xlim=ends, ylim=ends)
    right.plot(outputs, targets - outputs, ".", **looks)
    right.axhline(0, color=ACCENT, linewidth=1)
    right.set(xlabel="predicted", ylabel="true - predicted")
    return figure


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
            signals(table, style.colours(runs[INITIALIZATION])),
        )


def signals(table: pd.DataFrame, hues: Colours) -> Figure:
    """Draw the standard deviation of activations and of gradients, layer by layer, on logarithmic axes.

    ``table`` has ``hue layer activation gradient``; layers count from 1, the input's. Exact zeros cannot be
    drawn on these axes; the legend names them.
    """
    figure, axes = panels(2, 2, 3.25, 3.0)
    for (quantity, label), panel in zip(QUANTITIES.items(), axes, strict=True):
        for text, looks in style.marked(hues).items():
            rows = table[(table["hue"] == text) & (table[quantity] > 0)]
            panel.plot(rows["layer"], rows[quantity], **looks)
        panel.set_yscale("log")
        panel.yaxis.set_major_formatter("{x:g}")
        panel.yaxis.set_minor_formatter("")
        panel.set(xlabel="dense layer", ylabel=label, xticks=sorted(table["layer"].unique()))
    zero = set(table.loc[table["gradient"] == 0, "hue"])
    entries = {text + " (zero)" * (text in zero): looks for text, looks in style.marked(hues).items()}
    style.legend(figure, entries, title=INITIALIZATION, **style.BESIDE)
    return figure
