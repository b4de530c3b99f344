"""What may change in training and is in no checkpoint, so that a run that goes on can name it."""

import hashlib
import pickle
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import lightning as L
from lightning.pytorch.core.hooks import CheckpointHooks
from torch import nn

from overnight.training.own_parts import WHOLE, all_parts, held
from overnight.training.plain import OF_MODULES, can_be_kept, is_plain

OF_LIBRARIES = ("torch.", "torchmetrics.", "lightning.", "overnight.")
STATELESS = (L.Callback.state_dict, L.LightningDataModule.state_dict)
LEFT_OUT = (nn.Module, nn.Parameter, *WHOLE)
SAVING_NOTHING = (None, L.Callback.on_save_checkpoint, CheckpointHooks.on_save_checkpoint)


def unkept(trainer: L.Trainer, module: nn.Module) -> dict[str, str]:
    """Return hashes of what may change and is in no checkpoint, by names; "" for what has no hash.

    These are attributes of data module and callbacks without a ``state_dict`` of their own, and those of the
    task that ``attributes.values`` leaves out. A task with ``on_save_checkpoint`` takes care of itself.
    """
    data, callbacks = trainer.datamodule, trainer.callbacks  # type: ignore[attr-defined]
    found: dict[str, str] = {}
    for part in (part for part in (data, *callbacks) if part and is_silent(part)):
        large = part is data  # it holds the samples
        found |= {
            f"{type(part).__name__}.{name}": content(value)
            for name, value in vars(part).items()
            if is_plain(value) or not large
        }
    for path, part in all_parts(module).items() if not saves(module) else ():
        if not type(part).__module__.startswith(OF_LIBRARIES):
            found |= {f"task.{path}".rstrip("."): type(part).__qualname__}
            found |= {f"task.{path}.{name}".replace("..", "."): content(value) for name, value in rest(part)}
    return found


def rest(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of a part that are no state of torch, cannot be kept and hold no parts."""
    known = OF_MODULES | {name.partition(".")[0] for name, _ in held(part)}
    for name, value in vars(part).items():
        if name not in known and not can_be_kept(value):
            yield name, value


def is_silent(part: Any) -> bool:
    """Tell whether a callback or a data module, neither Lightning's nor ours, saves no state."""
    own = not type(part).__module__.startswith(OF_LIBRARIES)
    return own and type(part).state_dict in STATELESS and not saves(part)


def saves(part: Any) -> bool:
    """Tell whether a module or a callback has a hook of its own for what it wants in a checkpoint."""
    return getattr(type(part), "on_save_checkpoint", None) not in SAVING_NOTHING


class Hasher(pickle.Pickler):
    """Pickles a value without modules and what else has its own place, of which it writes the classes."""

    def persistent_id(self, thing: Any) -> str | None:
        """Return the class of what is left out."""
        return type(thing).__qualname__ if isinstance(thing, LEFT_OUT) else None


def content(value: Any) -> str:
    """Return a hash of a value; "" if it has none."""
    found = hashlib.blake2b(digest_size=16)
    with suppress(Exception):
        Hasher(SimpleNamespace(write=found.update)).dump(value)
        return found.hexdigest()
    return ""
