"""Settings of Lightning's Trainer and callbacks that would make a record untrue, each with its remedy.

Whatever is not listed is passed on to Lightning as it is, and the record of the run is proven (``checked``).
"""

from collections.abc import Callable
from typing import Any

Refusals = dict[str, tuple[Callable[[Any], bool], str]]
"""For each key, which values of it can be honoured; and what to do instead of the others."""


def nothing(_: Any) -> bool:
    """Refuse every value."""
    return False


def unset(value: Any) -> bool:
    """Tell whether a value is what leaves a setting off: null, false, 0."""
    return not value


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
OWN_CHECKPOINT = (
    "Add a ModelCheckpoint of your own: "
    "'+callbacks.mine={{_target_:lightning.pytorch.callbacks.ModelCheckpoint,dirpath:FOLDER,{}}}'"
)
ONE_FILE = f"best.ckpt is one file. {OWN_CHECKPOINT.format('monitor:NAME,save_top_k:3')}"
BY_EPOCH = (
    "best.ckpt and last.ckpt are written after whole epochs, so that a run can go on bit for bit. "
    + OWN_CHECKPOINT.format("every_n_train_steps:100")
)
BY_EPOCHS = (
    "the history has a row for each epoch, and so has validation. Type for example: "
    "+trainer.check_val_every_n_epoch=2, or +trainer.val_check_interval=0.5"
)
BY_STEP = (
    "it logs by steps, and trainer.log_every_n_steps=0 lets nothing do so. Type for example: "
    "trainer.log_every_n_steps=50"
)
OVERFIT = (
    "it would replace the validation data, too. Type instead: debug=overfit, which trains on the same three "
    "batches again and again"
)
UNTRAINED = "nothing would be trained. Type for example: +trainer.limit_train_batches=10"
OWN_GROUP = "needed: its own section of the configuration. Type for example: {}"

TRAINER: Refusals = {
    "devices": (one_device, ONE_DEVICE),
    "num_nodes": (lambda value: value == 1, ONE_DEVICE),
    "strategy": (lambda value: value in ("auto", "single_device"), ONE_DEVICE),
    "limit_train_batches": (lambda value: value != 0, UNTRAINED),
    "max_steps": (lambda value: value != 0, UNTRAINED),
    "check_val_every_n_epoch": (lambda value: value is not None, BY_EPOCHS),
    "val_check_interval": (lambda value: isinstance(value, int | float | None), BY_EPOCHS),
    "limit_val_batches": (whole, WHOLE_SPLITS),
    "limit_test_batches": (whole, WHOLE_SPLITS),
    "limit_predict_batches": (whole, "predictions are of whole splits. Leave it out"),
    "overfit_batches": (unset, OVERFIT),
    "callbacks": (nothing, OWN_GROUP.format("'+callbacks.NAME={_target_:...}'")),
    "logger": (nothing, OWN_GROUP.format("logger=csv, or '+logger.NAME={_target_:...}'")),
    "plugins": (nothing, "the checkpoints need their own. Type for example: trainer=bf16"),
    "default_root_dir": (nothing, "a run writes into its own folder. Type: hydra.run.dir=FOLDER"),
    "barebones": (unset, "it switches off what a record needs. Leave it out"),
    "enable_checkpointing": (nothing, "type callbacks=none to save nothing, and leave this out"),
    "num_sanity_val_steps": (unset, "epoch 0 measures the untrained network in full"),
}
CHECKPOINTS: Refusals = {
    "every_n_epochs": (lambda value: value in {None, 1}, BY_EPOCH),
    "every_n_train_steps": (unset, BY_EPOCH),
    "train_time_interval": (unset, BY_EPOCH),
    "save_on_train_epoch_end": (lambda value: value is True, BY_EPOCH),
    "save_weights_only": (unset, "a run could not go on from such a checkpoint"),
    "save_on_exception": (unset, BY_EPOCH),
    "save_top_k": (lambda value: value == 1, ONE_FILE),
}
CALLBACKS = {
    "StochasticWeightAveraging": (
        "its averaged weights would come into being after the last epoch, and nothing would measure them. "
        "Type instead: '+callbacks.ema={_target_:lightning.pytorch.callbacks.EMAWeightAveraging,decay:0.999}'"
    ),
    "BatchSizeFinder": "it would train with another batch size than is recorded. Type: data.batch_size=64",
    "LearningRateFinder": "it would train with another lr than is recorded. Type: -m lr=1e-4,1e-3,1e-2",
}
OF_STEPS = {"DeviceStatsMonitor", "LearningRateMonitor", "ThroughputMonitor"}
"""Callbacks that log by steps; the second one may have ``logging_interval=epoch`` instead."""
