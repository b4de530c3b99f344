"""What may change in training and is in no checkpoint, so that a run that goes on can name it."""

import hashlib
import inspect
import pickle
from collections.abc import Collection, Iterator
from contextlib import suppress
from types import FunctionType, GeneratorType, SimpleNamespace
from typing import Any

import lightning as L
from lightning.pytorch.core.hooks import CheckpointHooks
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from overnight.data.digest import octets
from overnight.training.own_parts import WHOLE, all_parts, held
from overnight.training.plain import OF_MODULES, can_be_kept, is_plain, is_simple, tensors_in

OF_LIBRARIES = ("torch.", "torchmetrics.", "lightning.", "overnight.")
STATELESS = (L.Callback.state_dict, L.LightningDataModule.state_dict)
SAVING_NOTHING = (None, L.Callback.on_save_checkpoint, CheckpointHooks.on_save_checkpoint)

LARGEST = 10**6
"""Numbers in the tensors of a data module's attribute: larger ones are samples, and not looked at."""


def unkept(trainer: L.Trainer, module: nn.Module) -> dict[str, str]:
    """Return what tells whether something has changed that is in no checkpoint, by its name.

    These are attributes of data module and callbacks without a ``state_dict`` of their own; and of the task
    the classes of its parts, parts with several names, and attributes that ``kept_values.values`` leaves out.
    A task with ``on_save_checkpoint`` takes care of itself.
    """
    data, callbacks = trainer.datamodule, trainer.callbacks  # type: ignore[attr-defined]
    schedulers = [config.scheduler for config in trainer.lr_scheduler_configs]
    saved = {id(each) for each in (*trainer.optimizers, *schedulers)}
    found: dict[str, str] = {}
    for part in (part for part in (data, *callbacks) if part and is_silent(part)):
        looked_at = {name: value for name, value in vars(part).items() if part is not data or is_small(value)}
        found |= {f"{type(part).__name__}.{name}": content(value, saved) for name, value in looked_at.items()}
    parts, also = all_parts(module) if not saves(module) else ({}, {})
    found |= {f"task.{name}": path for name, path in also.items()}
    for path, part in parts.items():
        of_task = f"task.{path}".rstrip(".")
        found |= {of_task: type(part).__qualname__}
        if not type(part).__module__.startswith(OF_LIBRARIES):
            found |= {f"{of_task}.{name}": content(value, saved) for name, value in rest(part)}
    return found


def rest(part: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of a part that are no state of torch, cannot be kept and hold no parts."""
    known = OF_MODULES | {name.partition(".")[0] for name, _ in held(part)}
    for name, value in vars(part).items():
        if name not in known and not can_be_kept(value):
            yield name, value


def is_small(value: Any) -> bool:
    """Tell whether a data module's attribute is looked at: plain values, and a few numbers in tensors."""
    plain = is_plain(value, tensors=True)
    return plain and sum(tensor.numel() for tensor in tensors_in(value)) <= LARGEST


def is_silent(part: Any) -> bool:
    """Tell whether a callback or a data module, neither Lightning's nor ours, saves no state."""
    own = not type(part).__module__.startswith(OF_LIBRARIES)
    return own and type(part).state_dict in STATELESS and not saves(part)


def saves(part: Any) -> bool:
    """Tell whether a module or a callback has a hook of its own for what it wants in a checkpoint."""
    return getattr(type(part), "on_save_checkpoint", None) not in SAVING_NOTHING


def content(value: Any, saved: Collection[int]) -> str:
    """Return a hash of a value; "" if it has none. For ``saved`` see ``Hasher``."""
    with suppress(Exception):
        if is_plain(value):  # the other way takes a second for a million of them
            return hashlib.blake2b(pickle.dumps(value), digest_size=16).hexdigest()
        hasher = Hasher(saved)
        hasher.dump(value)
        return hasher.found.hexdigest()
    return ""


class Hasher(pickle.Pickler):
    """Hashes the pickle of a value, in which something shorter stands for things that have their own place.

    Args:
        saved: the ``id`` of optimizers and schedulers that are in the checkpoints.
    """

    def __init__(self, saved: Collection[int]) -> None:
        self.saved, self.found = saved, hashlib.blake2b(digest_size=16)
        super().__init__(SimpleNamespace(write=self.found.update))

    def persistent_id(self, thing: Any) -> str | None:
        """Return what stands for a thing that is not pickled: it has its own place, or no pickle."""
        if isinstance(thing, Optimizer | LRScheduler):
            state = "" if id(thing) in self.saved else content(thing.state_dict(), self.saved)
            return f"{type(thing).__qualname__} {state}"
        if isinstance(thing, GeneratorType):
            return f"{thing.__qualname__} {content(inspect.getgeneratorlocals(thing), self.saved)}"
        if isinstance(thing, FunctionType):
            return f"{thing.__module__}.{thing.__qualname__} {id(thing)}"
        if isinstance(thing, (nn.Module, nn.Parameter, *WHOLE)):
            return type(thing).__qualname__
        if isinstance(thing, Tensor) and is_simple(thing.detach()):
            numbers = hashlib.blake2b(octets(thing.detach()).tobytes())
            return f"{thing.dtype} {thing.shape} {numbers.hexdigest()}"
        return None
