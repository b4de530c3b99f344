"""What lockstep training can do. Whatever else a run asks for, it is run the ordinary way."""

from collections.abc import Iterator
from typing import Any

Config = dict[str, Any]

ANYTHING = frozenset({"*"})
"""A value that lockstep hands on to what a run of its own would give it to."""

CHECKPOINT: Config = {
    "_target_": {"overnight.training.checkpoints.MovableCheckpoint"},
    "dirpath": ANYTHING,
    "filename": ANYTHING,
    "monitor": ANYTHING,
    "mode": ANYTHING,
    "auto_insert_metric_name": ANYTHING,
    "enable_version_counter": {False},
}

SUPPORTED: Config = {
    "ckpt_path": {None},
    "trainer": {
        "_target_": {"lightning.Trainer"},
        "max_epochs": ANYTHING,
        "accelerator": ANYTHING,
        "devices": {1},
        "precision": {None, 32, "32", "32-true", "bf16-mixed"},
        "deterministic": ANYTHING,
        "num_sanity_val_steps": {0},
        "enable_progress_bar": ANYTHING,
        "enable_model_summary": ANYTHING,
        "log_every_n_steps": ANYTHING,
        "profiler": {"_target_": {"overnight.training.speed.NoProfiler"}},
    },
    "callbacks": {
        "checkpoint": CHECKPOINT,
        "last_checkpoint": CHECKPOINT,
        "progress_bar": {"_target_": {"overnight.training.progress_bar.ProgressBar"}, "enabled": ANYTHING},
        "early_stopping": {
            "_target_": {"lightning.pytorch.callbacks.EarlyStopping"},
            "monitor": ANYTHING,
            "mode": ANYTHING,
            "patience": ANYTHING,
            "min_delta": ANYTHING,
            "check_finite": ANYTHING,
            "stopping_threshold": ANYTHING,
            "divergence_threshold": ANYTHING,
        },
    },
    "task": {
        "_target_": {"fcnlab.task.Classifier"},
        "net": {
            "_target_": {"fcnlab.nets.FCN"},
            "in_features": ANYTHING,
            "out_features": ANYTHING,
            "hidden_sizes": ANYTHING,
            "activation": ANYTHING,
            "normalization": ANYTHING,
            "dropout": ANYTHING,
            "weight_init": ANYTHING,
            "bias_init": ANYTHING,
        },
        "optimizer": ANYTHING,
        "schedule": {
            "_target_": {"fcnlab.task.Schedule"},
            "scheduler": ANYTHING,
            "interval": {"epoch", "step"},
            "horizon": ANYTHING,
            "monitor": ANYTHING,
        },
        "loss": ANYTHING,
        "eval_loss": ANYTHING,
        "penalty": {"_target_": {"fcnlab.losses.L1Penalty"}, "strength": ANYTHING},
    },
}
"""The parts of a configuration that say how a run is trained: keys, and the values that each may have.

A key that is not here, of whatever library and version, is a setting that lockstep knows nothing of.
"""


def unsupported(config: Config) -> list[str]:
    """Return the settings, as KEY=VALUE, for which a run cannot be trained in lockstep."""
    return [complaint for key, known in SUPPORTED.items() for complaint in compare(config[key], known, key)]


def compare(value: Any, known: Any, path: str) -> Iterator[str]:
    """Yield what differs from what is known."""
    if known is ANYTHING:
        return
    if isinstance(known, dict) and isinstance(value, dict):
        for key, item in value.items():
            if key in known:
                yield from compare(item, known[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(known, dict) or isinstance(value, dict | list) or value not in known:
        yield f"{path}={value}"
