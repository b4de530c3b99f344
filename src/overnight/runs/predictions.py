"""What a module predicts for the test samples, and the file that it is written to."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import lightning as L
import torch
from hydra.core.hydra_config import HydraConfig
from torch import Tensor

from overnight.config.errors import ConfigError
from overnight.config.resolvers import single_run
from overnight.training.checkpoints import without_warning
from overnight.training.measure import WITHOUT_CALLBACKS, build_measuring_trainer, has_split

Config = dict[str, Any]

HEAD = b"index,target"  # the beginning of a file of predictions
WRITTEN: set[Path] = set()  # the files that this command has written


class Predicted(NamedTuple):
    """What one pass over the test samples gave, in the order of that pass.

    Args:
        outputs: of ``predict_step`` [n, ...].
        targets: the true ones [n, ...].
        images: [n, height, width]; None if the samples are no images.
    """

    outputs: Tensor
    targets: Tensor
    images: Tensor | None


class Keeper(L.Callback):
    """Keeps what a batch is predicted to be beside what it is: the next pass may have another order."""

    def __init__(self) -> None:
        self.kept: list[Predicted] = []

    def on_predict_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep a batch; refuse one in which outputs and targets cannot be found (ConfigError)."""
        pair = isinstance(batch, tuple | list) and len(batch) > 1
        if dataloader_idx or not pair or not isinstance(outputs, Tensor):
            raise ConfigError(
                f"{type(pl_module).__name__}: the predictions cannot be written. Needed: one "
                f"predict_dataloader with batches (features, targets), and a predict_step that returns a "
                f"tensor"
            )
        self.kept.append(Predicted(outputs.cpu(), batch[1].cpu(), pictures(batch[0])))


def predict(
    config: Config,
    task: L.LightningModule,
    data: L.LightningDataModule,
    checkpoint: Path | str,
    **device: Any,
) -> Predicted:
    """Return what ``predict_step`` gives for the whole test set, with the weights in a checkpoint.

    ``device`` is what the Trainer is to have in place of the run's.

    Raises:
        ConfigError: the task has no ``predict_step`` of its own, or the data none to predict; or the outputs
            or the batches are of a form in which outputs and targets cannot be found.
    """
    if not has_split(task, data, "predict_step", "predict_dataloader"):
        raise ConfigError(
            f"{type(task).__name__} cannot predict. Needed: a predict_step that returns a tensor for each "
            f"batch, and data with a predict_dataloader"
        )
    keeper = Keeper()
    trainer = build_measuring_trainer(config, callbacks=[keeper], **device)
    with without_warning(WITHOUT_CALLBACKS):
        trainer.predict(
            task, datamodule=data, return_predictions=False, ckpt_path=checkpoint, weights_only=True
        )
    outputs, targets, images = zip(*keeper.kept, strict=True)
    return Predicted(torch.cat(outputs), torch.cat(targets), None if None in images else torch.cat(images))


def pictures(features: Any) -> Tensor | None:
    """Return images [n, height, width], the mean of their channels; None if these are no images."""
    images = isinstance(features, Tensor) and features.ndim == 4  # noqa: PLR2004 - with channels
    return features.cpu().mean(1) if images else None


def refuse_strangers(path: Path) -> None:
    """Refuse a file that is none of predictions, or that this command has just written (ConfigError)."""
    if not HydraConfig.initialized() or single_run() or HydraConfig.get().job.num == 0:
        WRITTEN.clear()  # this is the first job of a command
    if path in WRITTEN:
        raise ConfigError(
            f"predictions={path}: it has the predictions of another checkpoint of this command. Needed: a "
            f"file for each. Type for example: 'predictions=mine-${{hydra:job.num}}.csv'"
        )
    if path.exists() and not (path.is_file() and path.read_bytes().startswith(HEAD)):
        raise ConfigError(
            f"predictions={path}: there is something that is no file of predictions. Needed: a new file. "
            f"Type for example: predictions=mine.csv"
        )


def write_predictions(
    outputs: Tensor,
    targets: Tensor,
    path: Path,
    places: Sequence[int] | None = None,
    names: Sequence[str] = (),
) -> None:
    """Write the index, the target and the prediction of each test sample; of classes, their probabilities.

    Args:
        outputs: probabilities [n, classes] where the targets are whole numbers, else predicted numbers [n]
            or [n, k].
        targets: the true ones [n], or [n, k].
        path: of the file, CSV.
        places: where the samples stand in the file that they come from, as their index; None: from 0 on.
        names: of the classes; () if they have none but their numbers.

    Raises:
        ConfigError: there are more or fewer outputs than targets or classes.
    """
    known = range(len(outputs)) if places is None else places
    classes = outputs.ndim > 1 and not targets.is_floating_point()
    columns = columns_of_classes(outputs, targets, names) if classes else columns_of_numbers(outputs, targets)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["index", *columns])
        writer.writerows(zip(known, *columns.values(), strict=True))
    WRITTEN.add(path)


def columns_of_classes(outputs: Tensor, targets: Tensor, names: Sequence[str]) -> dict[str, list[Any]]:
    """Return the columns of labels and of the probabilities of each class."""
    if names and outputs.shape[1] != len(names):
        raise ConfigError(
            f"the network gives {outputs.shape[1]} numbers for each sample, and the data has {len(names)} "
            f"classes ({', '.join(names[:5])}...). Needed: one for each class: ${{of_data:out_features}}"
        )
    named = names or [*map(str, range(outputs.shape[1]))]
    labels = {"target": targets.flatten(), "prediction": outputs.argmax(1)}
    told = {what: [named[code] for code in codes.tolist()] for what, codes in labels.items()}
    written = ([f"{p:.6g}" for p in column.tolist()] for column in outputs.unbind(1))
    return told | dict(zip((f"p_{name}" for name in named), written, strict=True))


def columns_of_numbers(outputs: Tensor, targets: Tensor) -> dict[str, list[Any]]:
    """Return the columns of targets and of predictions; of several targets they are numbered from 1."""
    both = {"target": targets.reshape(len(targets), -1), "prediction": outputs.reshape(len(outputs), -1)}
    if both["target"].shape != both["prediction"].shape:
        raise ConfigError(
            f"the predictions are {list(outputs.shape)} and the targets {list(targets.shape)}. Needed: a "
            f"predict_step that returns as many numbers as there are targets"
        )
    if both["target"].shape[1] == 1:
        return {what: values.flatten().tolist() for what, values in both.items()}
    return {
        f"{what}_{place}": column.tolist()
        for what, values in both.items()
        for place, column in enumerate(values.unbind(1), start=1)
    }
