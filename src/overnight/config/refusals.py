"""Settings of Lightning's Trainer and callbacks that would make a record untrue, each with its remedy.

Whatever is not listed is passed on to Lightning as it is, and the record of the run is proven (``checked``).
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import hydra

from overnight.records.metric import is_of_test

Config = dict[str, Any]


class Refusal(NamedTuple):
    """A setting, the values of it that can be honoured, and what to do instead of the others."""

    key: str
    honoured: Callable[[Any], bool]
    why: str


def nothing(_: Any) -> bool:
    """Refuse every value."""
    return False


def one_device(value: Any) -> bool:
    """Tell whether a number or a list of devices is of a single one, on whatever machine."""
    return value in (1, "1") or (isinstance(value, list) and len(value) == 1)


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
BY_EPOCHS = (
    "the history has a row for each epoch, and so has validation. Type for example: "
    "+trainer.check_val_every_n_epoch=2, or +trainer.val_check_interval=0.5"
)
UNTRAINED = "nothing would be trained. Type for example: +trainer.limit_train_batches=10"
OWN_GROUP = "needed: its own section of the configuration. Type for example: {}"

TRAINER = (
    Refusal("devices", one_device, ONE_DEVICE),
    Refusal("num_nodes", lambda value: value == 1, ONE_DEVICE),
    Refusal("strategy", lambda value: value in ("auto", "single_device"), ONE_DEVICE),
    Refusal("limit_train_batches", lambda value: value != 0, UNTRAINED),
    Refusal("max_steps", lambda value: value != 0, UNTRAINED),
    Refusal("check_val_every_n_epoch", lambda value: value is not None, BY_EPOCHS),
    Refusal("val_check_interval", lambda value: isinstance(value, int | float | None), BY_EPOCHS),
    Refusal("limit_val_batches", whole, WHOLE_SPLITS),
    Refusal("limit_test_batches", whole, WHOLE_SPLITS),
    Refusal("limit_predict_batches", whole, "predictions are of whole splits. Leave it out"),
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
    Refusal("every_n_epochs", lambda value: value in {None, 1}, BY_EPOCH),
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
        "its averaged weights would come into being after the last epoch, and nothing would measure them. "
        "Type instead: '+callbacks.ema={_target_:lightning.pytorch.callbacks.EMAWeightAveraging,decay:0.999}'"
    ),
    "BatchSizeFinder": "it would train with another batch size than is recorded. Type: data.batch_size=64",
    "LearningRateFinder": "it would train with another lr than is recorded. Type: -m lr=1e-4,1e-3,1e-2",
}
OF_STEPS = "DeviceStatsMonitor", "LearningRateMonitor", "ThroughputMonitor"
"""Callbacks that log by steps; the second one may have ``logging_interval=epoch`` instead."""


def refused_settings(config: Config) -> Iterator[str]:
    """Say which settings cannot be honoured, why, and what to type instead."""
    yield from refused(config["trainer"], TRAINER, "trainer")
    for name, callback in config["callbacks"].items():
        yield from refused_callback(callback or {}, f"callbacks.{name}", config)
    yield from refused_metric(config)
    yield from clipped_while_fused(config)


def refused_callback(callback: Config, path: str, config: Config) -> Iterator[str]:
    """Say what of a callback cannot be honoured; a subclass is refused as its parent is."""
    kinds = classes_of(callback)
    for kind in CALLBACKS.keys() & kinds:
        yield f"{path}._target_={callback['_target_']}: {CALLBACKS[kind]}"
    if "LastCheckpoint" in kinds:
        yield from refused(callback, CHECKPOINTS, path)
    for key, name in (("monitor", "metric"), ("mode", "mode")) if "BestCheckpoint" in kinds else ():
        if callback.get(key) != config[name]:
            yield (
                f"{path}.{key}={callback.get(key)} and {name}={config[name]}: "
                f"these are two names of one value. Needed: one of them. "
                f"Type for example: {name}={callback.get(key)}"
            )
    by_step = kinds & {*OF_STEPS} and callback.get("logging_interval", "step") == "step"
    if by_step and not config["trainer"].get("log_every_n_steps", 50):
        yield (
            f"{path}._target_={callback['_target_']}: it logs by steps, and trainer.log_every_n_steps=0 lets "
            f"nothing do so. Type for example: trainer.log_every_n_steps=50"
        )


def classes_of(node: Config) -> set[str]:
    """Return the names of the class that a node builds, and of all that it inherits from."""
    target = hydra.utils.get_object(node["_target_"]) if "_target_" in node else None
    return {kind.__name__ for kind in getattr(target, "__mro__", ())}


def refused_metric(config: Config) -> Iterator[str]:
    """Say what is wrong with the metric that chooses the best."""
    metric, mode = config["metric"], config["mode"]
    if metric and is_of_test(metric):
        yield (
            f"metric={metric}: the test set chooses nothing here, or its result would be too good. Needed: a "
            f"metric of validation. Type for example: metric={re.sub('test', 'val', metric)}"
        )
    if metric and not mode:
        yield f"metric={metric} without mode: needed: which way is better. Type for example: mode=min"
    if mode and not metric:
        yield f"mode={mode} without metric: needed: both, or neither. Type: metric=NAME, or mode=null"


def clipped_while_fused(config: Config) -> Iterator[str]:
    """Say that Lightning cannot clip the gradients of a fused optimizer in mixed precision."""
    trainer = config["trainer"]
    if trainer.get("gradient_clip_val") and "mixed" in str(trainer.get("precision")):
        for key, node in config.items():
            if isinstance(node, dict) and node.get("fused"):
                yield (
                    f"trainer.gradient_clip_val={trainer['gradient_clip_val']} with "
                    f"trainer.precision={trainer['precision']}: no fused optimizer can do both. "
                    f"Type: {key}.fused=false"
                )


def refused(section: Config, refusals: tuple[Refusal, ...], path: str) -> Iterator[str]:
    """Say which keys of a section have a value that cannot be honoured."""
    for key, honoured, why in refusals:
        if key in section and not honoured(section[key]):
            yield f"{path}.{key}={section[key]}: {why}"
