"""The settings that stacked training knows. Whatever else a run asks for, it is run the ordinary way."""

from collections.abc import Iterator
from typing import Any

import hydra

from overnight.data.in_memory import InMemoryData

Config = dict[str, Any]

ANYTHING = frozenset({"*"})  # a value that is handed on to what a run of its own would give it to

OURS = "overnight.training."


def takes(keys: str, **known: Any) -> Config:
    """Return a section: keys that may have any value, and others with the values that they may have."""
    return dict.fromkeys(keys.split(), ANYTHING) | known


CHECKPOINT = takes(
    "dirpath filename monitor mode auto_insert_metric_name",
    enable_version_counter={False},
    save_on_train_epoch_end={True},
)
SUPPORTED: Config = {
    "ckpt_path": {None},
    "init_from": {None},
    "trainer": takes(
        "max_epochs accelerator deterministic enable_progress_bar enable_model_summary log_every_n_steps",
        _target_={"lightning.Trainer"},
        devices={1},
        precision={None, 32, "32", "32-true", "bf16-mixed"},
        num_sanity_val_steps={0},
        profiler={"_target_": {f"{OURS}speed.NoProfiler"}},
    ),
    "callbacks": {
        "checkpoint": CHECKPOINT | {"_target_": {f"{OURS}checkpoints.BestCheckpoint"}},
        "last_checkpoint": CHECKPOINT | {"_target_": {f"{OURS}checkpoints.LastCheckpoint"}},
        "progress_bar": takes("enabled metric", _target_={f"{OURS}progress_bar.ProgressBar"}),
        "pruning": takes("pruner monitor mode", _target_={"overnight.search.pruning.Pruning"}),
        "early_stopping": takes(
            "monitor mode patience min_delta check_finite stopping_threshold divergence_threshold",
            _target_={"lightning.pytorch.callbacks.EarlyStopping"},
        ),
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
    if known is ANYTHING or (value is None and isinstance(known, dict)):  # a part that is off
        return
    if isinstance(known, dict) and isinstance(value, dict):
        for key, item in value.items():
            if key in known:
                yield from compare(item, known[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}"
    elif isinstance(known, dict) or isinstance(value, dict | list) or value not in known:
        yield f"{path}={value}"
