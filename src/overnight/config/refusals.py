"""Settings of Lightning's Trainer and callbacks that would make a record untrue, each with its remedy.

Whatever is not listed is passed on to Lightning as it is, and the record of the run is proven (``checked``).
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

Config = dict[str, Any]


class Refusal(NamedTuple):
    """A setting, the values of it that can be honoured, and what to do instead of the others."""

    key: str
    honoured: Callable[[Any], bool]
    why: str


def nothing(_: Any) -> bool:
    """Refuse every value."""
    return False


def whole(value: Any) -> bool:
    """Tell whether a limit of batches takes all of them."""
    return value is None or (isinstance(value, float) and value == 1.0)


ONE_DEVICE = (
    "one process trains one run on one device. Needed: trainer.devices=1; several GPUs are for several runs "
    "at a time, as in: python train.py -m seed=0,1 hydra/launcher=joblib hydra.launcher.n_jobs=2"
)
WHOLE_SPLITS = (
    "the best weights are chosen and measured on whole splits. Type for example: a smaller data.val_size, "
    "or +trainer.limit_train_batches=0.1 to train on less"
)
BY_EPOCH = (
    "best.ckpt and last.ckpt are written after whole epochs, so that a run can go on bit for bit. Add a "
    "ModelCheckpoint of your own: '+callbacks.mine={_target_:lightning.pytorch.callbacks.ModelCheckpoint,"
    "dirpath:FOLDER,every_n_train_steps:100}'"
)
OWN_GROUP = "needed: its own section of the configuration. Type for example: {}"

TRAINER = (
    Refusal("devices", lambda value: value in (1, "1", "auto", [0], None), ONE_DEVICE),
    Refusal("num_nodes", lambda value: value == 1, ONE_DEVICE),
    Refusal("strategy", lambda value: value in ("auto", "single_device"), ONE_DEVICE),
    Refusal("limit_val_batches", whole, WHOLE_SPLITS),
    Refusal("limit_test_batches", whole, WHOLE_SPLITS),
    Refusal(
        "overfit_batches",
        lambda value: not value,
        "it would replace the validation data, too. Type instead: debug=overfit, which trains on the same "
        "three batches again and again",
    ),
    Refusal("callbacks", nothing, OWN_GROUP.format("'+callbacks.NAME={_target_:...}'")),
    Refusal("logger", nothing, OWN_GROUP.format("logger=csv, or '+logger.NAME={_target_:...}'")),
    Refusal("plugins", nothing, "the checkpoints need their own. Type for example: trainer=bf16"),
    Refusal("default_root_dir", nothing, "a run writes into its own folder. Type: hydra.run.dir=FOLDER"),
    Refusal("enable_checkpointing", nothing, "type callbacks=none to save nothing, and leave this out"),
    Refusal(
        "num_sanity_val_steps", lambda value: not value, "epoch 0 measures the untrained network in full"
    ),
)
CHECKPOINTS = (
    Refusal("every_n_train_steps", lambda value: not value, BY_EPOCH),
    Refusal("train_time_interval", lambda value: not value, BY_EPOCH),
    Refusal("save_on_train_epoch_end", lambda value: value is True, BY_EPOCH),
    Refusal("save_weights_only", lambda value: not value, "a run could not go on from such a checkpoint"),
    Refusal(
        "save_top_k",
        lambda value: value == 1,
        "best.ckpt is one file. Add a ModelCheckpoint of your own: "
        "'+callbacks.mine={_target_:lightning.pytorch.callbacks.ModelCheckpoint,dirpath:FOLDER,"
        "monitor:NAME,save_top_k:3}'",
    ),
)
CALLBACKS = {
    "StochasticWeightAveraging": (
        "its averaged weights would come into being after the last epoch, and nothing would measure them. Type "
        "instead: '+callbacks.ema={_target_:lightning.pytorch.callbacks.EMAWeightAveraging,decay:0.999}'"
    ),
    "BatchSizeFinder": "it would train with another batch size than is recorded. Type: data.batch_size=64",
    "LearningRateFinder": "it would train with another lr than is recorded. Type: -m lr=1e-4,1e-3,1e-2",
}
OURS = ("checkpoint", "last_checkpoint")


def refused_settings(config: Config) -> Iterator[str]:
    """Say which settings cannot be honoured, why, and what to type instead."""
    yield from refused(config["trainer"], TRAINER, "trainer")
    for name, callback in config["callbacks"].items():
        target = str((callback or {}).get("_target_", ""))
        if (kind := target.rpartition(".")[2]) in CALLBACKS:
            yield f"callbacks.{name}._target_={target}: {CALLBACKS[kind]}"
        if name in OURS:
            yield from refused(callback, CHECKPOINTS, f"callbacks.{name}")


def refused(section: Config, refusals: tuple[Refusal, ...], path: str) -> Iterator[str]:
    """Say which keys of a section have a value that cannot be honoured."""
    for key, honoured, why in refusals:
        if key in section and not honoured(section[key]):
            yield f"{path}.{key}={section[key]}: {why}"
