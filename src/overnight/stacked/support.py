"""The settings that stacked training knows. Whatever else a run asks for, it is run the ordinary way."""

from collections.abc import Iterator
from typing import Any

import hydra

from overnight.data.in_memory import InMemoryData

Config = dict[str, Any]

ANYTHING = frozenset({"*"})
"""A value that is handed on to what a run of its own would give it to."""

CHECKPOINT: Config = {
    "dirpath": ANYTHING,
    "filename": ANYTHING,
    "monitor": ANYTHING,
    "mode": ANYTHING,
    "auto_insert_metric_name": ANYTHING,
    "enable_version_counter": {False},
    "save_on_train_epoch_end": {True},
}
OURS = "overnight.training."

SUPPORTED: Config = {
    "ckpt_path": {None},
    "init_from": {None},
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
        "profiler": {"_target_": {f"{OURS}speed.NoProfiler"}},
    },
    "callbacks": {
        "checkpoint": {"_target_": {f"{OURS}checkpoints.BestCheckpoint"}} | CHECKPOINT,
        "last_checkpoint": {"_target_": {f"{OURS}checkpoints.LastCheckpoint"}} | CHECKPOINT,
        "progress_bar": {
            "_target_": {f"{OURS}progress_bar.ProgressBar"},
            "enabled": ANYTHING,
            "metric": ANYTHING,
        },
        "pruning": {
            "_target_": {"overnight.search.pruning.Pruning"},
            "pruner": ANYTHING,
            "monitor": ANYTHING,
            "mode": ANYTHING,
        },
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
}
"""The parts of a configuration that say how a run is trained: keys, and the values that each may have.

A key that is not here, of whatever library and version, is a setting that stacked training knows nothing of.
"""


def unsupported(config: Config) -> list[str]:
    """Return what keeps a run from being trained with others, as KEY=VALUE where it is a setting."""
    differs = [
        complaint for key, known in SUPPORTED.items() for complaint in compare(config[key], known, key)
    ]
    return [*differs, *unknown_classes(config)]


def unknown_classes(config: Config) -> Iterator[str]:
    """Yield the task's class if it names no settings that its runs may have for themselves; the data's."""
    task, data = (hydra.utils.get_object(config[key]["_target_"]) for key in ("task", "data"))
    if not hasattr(task, "stacked_settings"):
        yield f"task._target_={config['task']['_target_']}"
    if "net" not in config["task"]:
        yield "no task.net"
    if not issubclass(data, InMemoryData):
        yield f"data._target_={config['data']['_target_']}"


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
