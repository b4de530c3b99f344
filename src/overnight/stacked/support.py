"""The settings that stacked training knows. Whatever else a run asks for, it is run the ordinary way."""

from collections.abc import Iterator
from typing import Any

import hydra
import lightning as L

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

DATA_HOOKS = (
    *("train_dataloader", "val_dataloader", "test_dataloader", "transfer_batch_to_device", "setup"),
    *("on_before_batch_transfer", "on_after_batch_transfer"),
)
"""What nobody may have overridden: stacked training draws its batches itself."""


def unsupported(config: Config) -> list[str]:
    """Return what keeps a run from being trained with others, as KEY=VALUE where it is a setting."""
    differs = [
        complaint for key, known in SUPPORTED.items() for complaint in compare(config[key], known, key)
    ]
    return [*differs, *classes_of_others(config)]


def classes_of_others(config: Config) -> Iterator[str]:
    """Yield the task's class unless it says itself that it can be stacked; the data's if it draws batches.

    A subclass does not inherit that word: it may override what stacked training does not call.
    """
    task, data = (hydra.utils.get_object(config[key]["_target_"]) for key in ("task", "data"))
    if "stacked_settings" not in vars(task):
        yield f"task._target_={config['task']['_target_']}"
    overridden = [name for name in DATA_HOOKS if implementation(data, name) is not known_hook(name)]
    if not issubclass(data, InMemoryData) or overridden:
        yield f"data._target_={config['data']['_target_']}"


def implementation(kind: type, name: str) -> Any:
    """Return the function that objects of this class have under the name."""
    return getattr(kind, name, None)


def known_hook(name: str) -> Any:
    """Return the function that stacked training stands for."""
    return getattr(InMemoryData, name, None) or getattr(L.LightningDataModule, name)


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
