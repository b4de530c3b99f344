"""What keeps a run that was built from being stacked, such as hooks that stacked training does not call."""

from collections.abc import Iterator
from types import NoneType
from typing import Any

import lightning as L
import numpy as np
from lightning.pytorch.core.hooks import CheckpointHooks, DataHooks, ModelHooks
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torchmetrics import Metric

from overnight.data.batches import Batches, InOrder, Shuffled
from overnight.data.in_memory import InMemoryData
from overnight.stacked.member import Member
from overnight.training.kept_values import flags
from overnight.training.plain import ATOMS, OF_MODULES

CALLED = {
    *("forward", "training_step", "validation_step", "test_step", "predict_step", "configure_optimizers"),
    *("on_train_epoch_start", "on_train_batch_end", "on_train_epoch_end", "lr_scheduler_step"),
    *("on_validation_epoch_start", "on_validation_batch_end", "on_validation_epoch_end"),
    *("on_test_epoch_start", "on_test_batch_end", "on_test_epoch_end"),
    *("on_save_checkpoint", "on_load_checkpoint"),
}
"""Methods of a task that stacked training calls as Lightning does, or that a fit does not call at all."""

OF_LIGHTNING = {
    *(n for kind in (ModelHooks, DataHooks, CheckpointHooks) for n in vars(kind) if not n.startswith("__")),
    *("backward", "manual_backward", "optimizer_step", "optimizer_zero_grad", "lr_scheduler_step"),
    *("configure_gradient_clipping", "clip_gradients", "configure_callbacks", "log", "log_dict"),
    *("toggle_optimizer", "untoggle_optimizer", "freeze", "unfreeze", "all_gather"),
    *("forward", "training_step", "validation_step", "test_step", "configure_optimizers", "__call__"),
}


CONSTANT = (bool, int, float, str, tuple, NoneType, np.generic)


def obstacles(member: Member) -> Iterator[str]:
    """Yield what of this run stacked training would not do as the ordinary way does."""
    yield from overridden(member.task, L.LightningModule, CALLED, "task")
    yield from overridden(member.data, InMemoryData, set(), "data")
    for name, module in member.task.named_modules():
        if hooked(module) or parametrize.is_parametrized(module):
            yield f"hooks or parametrizations of task.{name}"
        yield from (f"task.{name}: {kept} is not in the state_dict" for kept in unsaved(module))
    if tied(member.task):
        yield "tied parameters"
    if not member.task.automatic_optimization:
        yield "manual optimization"
    loader = member.data.train_dataloader()
    if type(loader) is not Batches or type(loader.sampler) not in {InOrder, Shuffled}:
        yield f"data.train_dataloader gives a {type(loader).__name__}"


def overridden(thing: Any, known: type, called: set[str], where: str) -> Iterator[str]:
    """Yield the hooks of Lightning that a class or an object has for itself, and that would not be called."""
    for name in sorted(OF_LIGHTNING & {*dir(known)} - called):
        if name in vars(thing) or getattr(type(thing), name) is not getattr(known, name):
            yield f"{where}.{name} is overridden"
    for name in sorted(called & vars(thing).keys()):
        yield f"{where}.{name} is set on the instance"


def hooked(module: nn.Module) -> bool:
    """Tell whether somebody has registered a hook on a module; torch has no public way to ask."""
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return any(getattr(module, kind) for kind in kinds)


def unsaved(module: nn.Module) -> Iterator[str]:
    """Yield the attributes of a module that are tensors, or hold layers, and that it has not registered."""
    if isinstance(module, Metric):  # it keeps its states like this
        return
    for name, value in vars(module).items():
        held = value if isinstance(value, list | tuple) else (value,)
        if not name.startswith("_") and any(isinstance(each, Tensor | nn.Module) for each in held):
            yield name


def tied(module: nn.Module) -> bool:
    """Tell whether two names of a module are one parameter."""
    return len([*module.named_parameters(remove_duplicate=False)]) > len([*module.parameters()])


def constants(task: nn.Module) -> str:
    """Return all plain values that a task's modules keep, and their classes: members must have the same."""
    return repr(constant_attributes(task))


def constant_attributes(task: nn.Module) -> dict[str, Any]:
    """Return the plain attributes of a task and of the modules in it, and the classes of these."""
    found: dict[str, Any] = {}
    for path, module in task.named_modules():
        found[f"{path}:"] = type(module).__qualname__
        found |= {f"{path}:{name}": v for name, v in vars(module).items() if is_read(module, name, v)}
    return found


def standing(task: nn.Module) -> dict[str, str]:
    """Return as texts what a hook may change in a member's task, and the steps of all would not see."""
    return {name: repr(value) for name, value in (constant_attributes(task) | flags(task)).items()}


def own_constants(task: nn.Module) -> list[Any]:
    """Return those of the task itself that are a single value; it takes some microseconds."""
    return [value for name, value in vars(task).items() if type(value) in ATOMS and name not in OF_MODULES]


def is_read(module: nn.Module, name: str, value: Any) -> bool:
    """Tell whether an attribute is one that a step may read, and no state of torch, Lightning or a metric."""
    own = name not in OF_MODULES and name != "_hparams"  # in which runs may differ: see ``stacked_settings``
    if isinstance(module, Metric):
        return own and not name.startswith("_") and isinstance(value, CONSTANT)
    return own and is_constant(value)


def is_constant(value: Any) -> bool:
    """Tell whether a value is one of ``CONSTANT``, or lists and dicts of such ones; subclasses are, too."""
    parts = [*value, *value.values()] if isinstance(value, dict) else value
    return all(map(is_constant, parts)) if isinstance(value, list | dict) else isinstance(value, CONSTANT)
