"""The parts of a run, built from its configuration: module, data module, Trainer, callbacks, loggers."""

import re
from pathlib import Path
from typing import Any

import hydra
import lightning as L
from hydra.errors import InstantiationException
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.nn.parameter import is_lazy

from overnight.config.errors import ConfigError
from overnight.config.of_data import TRAITS, asked, filled
from overnight.data.in_memory import InMemoryData
from overnight.records.record import LAST
from overnight.training.attributes import Attributes
from overnight.training.checkpoints import LastCheckpoint, read_checkpoint
from overnight.training.foreign_data import draw_alike
from overnight.training.generators import seeded
from overnight.training.history import History
from overnight.training.saving import AtomicCheckpointIO
from overnight.training.whole_epochs import WholeEpochs

Config = dict[str, Any]

LATER = (
    ". Needed: these keys in the section; or, only if the run gives them, as it gives an optimizer its "
    "parameters, _partial_: true"
)


def build(config: Config) -> tuple[L.LightningModule, L.LightningDataModule]:
    """Build the module and the data module.

    Nothing is read yet, unless the module asks what only the data can tell; see ``overnight.config.of_data``.
    """
    data = build_data(config)
    return build_task(informed(config, data)), data


def build_task(config: Config) -> L.LightningModule:
    """Build the module of a configuration that has what it asks of the data.

    Layers that find out their sizes in their first batch are refused (ConfigError).
    """
    task: L.LightningModule = instantiated(filled(config["task"], config.get(TRAITS, {})))
    if lazy := [name for name, weights in task.named_parameters() if is_lazy(weights)]:
        raise ConfigError(
            f"task.{lazy[0]}: its size is not known before the first batch. Needed: layers with sizes, such "
            f"as torch.nn.Linear in place of LazyLinear. The number of features is ${{of_data:in_features}}"
        )
    return task


def informed(config: Config, data: L.LightningDataModule) -> Config:
    """Return the configuration with what its module asks of the data, under ``traits_of_data``.

    What the data cannot tell is a ConfigError.
    """
    questions = dict(asked(config["task"], "task"))
    if not questions:
        return config
    traits: Config = data.traits() if isinstance(data, InMemoryData) else {}
    for key, name in questions.items():
        if name not in traits:
            raise ConfigError(
                f"{key}: {type(data).__name__} does not tell {name}, only {', '.join(traits) or 'nothing'}. "
                f"Needed: data that does, such as data=table, or the value itself. Type for example: {key}=1"
            )
    return config | {TRAITS: traits}


def build_data(config: Config, **changes: Any) -> L.LightningDataModule:
    """Build the data module, with other arguments than the configuration's if asked for.

    A foreign one may draw from the global generators, when it is built, whenever it is set up and asked for
    loaders; with these seeds it has the same samples and splits in training, in a run that goes on, and in an
    evaluation.
    """
    with seeded(config["seed"]):
        data: L.LightningDataModule = instantiated(config["data"], **changes)
    if not isinstance(data, InMemoryData):
        draw_alike(data, config["seed"])
    return data


def instantiated(node: Config, **arguments: Any) -> Any:
    """Build what a node describes; an error in it is raised as itself, without Hydra's words around it."""
    try:
        return hydra.utils.instantiate(node, **arguments, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, ConfigError):
            raise cause from error
        part = re.search(r"full_key: (\S+)", str(error))
        where = f"{node.get('_target_')}: " + (f"{part[1]}: " if part else "")
        raise ConfigError(f"{where}{cause or error}{remedy(cause)}") from error


def remedy(error: BaseException | None) -> str:
    """Say what to do where something was called without an argument that it needs, or with one too many."""
    text = str(error) if isinstance(error, TypeError) else ""
    if "Tensor or None required" in text:
        return ". Needed: a tensor, as in {_target_:torch.tensor,data:[1.0,2.5]}"
    unknown = re.search(r"unexpected keyword argument '(\w+)'", text)
    return f". Needed: only what it takes. Leave out {unknown[1]}" if unknown else LATER * ("missing" in text)


def load_weights(task: L.LightningModule, path: str | None) -> None:
    """Begin with the weights at a path, if there is one; those of another network are a ConfigError."""
    if not path:
        return
    try:
        task.load_state_dict(read_checkpoint(path, key="init_from")["state_dict"], strict=task.strict_loading)
    except RuntimeError as error:
        raise ConfigError(f"init_from={path}: {' '.join(str(error).split())}") from error


def build_trainer(config: Config, directory: Path, history: History) -> L.Trainer:
    """Build the trainer with its callbacks and loggers; whatever it saves goes into the run's directory."""
    make = hydra.utils.instantiate(config["trainer"], _partial_=True, _convert_="all")
    parts = {
        "callbacks": [history, Attributes(), WholeEpochs(), *build_parts(config["callbacks"])],
        "logger": build_parts(config["logger"]),
    }
    try:
        trainer: L.Trainer = make(default_root_dir=str(directory), plugins=[AtomicCheckpointIO()], **parts)
    except (MisconfigurationException, ImportError, RuntimeError, TypeError, ValueError) as error:
        raise ConfigError(
            f"trainer with accelerator={config['trainer'].get('accelerator')}: {str(error).rstrip('.!')}. "
            f"Needed: what this machine has. Type for example: trainer=default"
        ) from error
    refuse_other_places(trainer, directory)
    used, asked = trainer.precision, config["trainer"].get("precision")
    if "bf16" in str(used) and "bf16" not in str(asked):
        raise ConfigError(
            f"trainer.precision={asked}: here Lightning trains with {used} in its place. Needed: what is "
            f"trained. Type: trainer.precision={used}"
        )
    return trainer


def refuse_other_places(trainer: L.Trainer, directory: Path) -> None:
    """Refuse best and last weights outside of the run's directory, or in one file (ConfigError)."""
    ours = [each for each in trainer.checkpoint_callbacks if isinstance(each, LastCheckpoint)]
    for callback in ours:
        if not Path(str(callback.dirpath)).resolve().is_relative_to(directory.resolve()):
            raise ConfigError(
                f"callbacks.checkpoint.dirpath={callback.dirpath}: needed: a folder of this run, since "
                f"others would overwrite its weights. Leave it out, or type: hydra.run.dir=FOLDER"
            )
    for other in trainer.checkpoint_callbacks:
        if other not in ours and isinstance(other, ModelCheckpoint) and other.save_last:
            folder = Path(other.dirpath or directory / LAST.parent)
            if folder.resolve() == (directory / LAST.parent).resolve():
                raise ConfigError(
                    "callbacks: a ModelCheckpoint with save_last=true would overwrite last.ckpt, from which "
                    "the run goes on. Needed: a folder of its own, dirpath:FOLDER; or leave save_last out"
                )
    if len({(each.dirpath, each.filename) for each in ours}) < len(ours):
        raise ConfigError(
            f"callbacks.checkpoint.filename={ours[0].filename}: the best and the last weights would be one "
            f"file. Needed: different names. Type for example: callbacks.checkpoint.filename=best"
        )


def build_parts(config: Config) -> list[Any]:
    """Build every part that a section describes: the callbacks, or the loggers. One that is null is off."""
    return [instantiated(part) for part in config.values() if part]
