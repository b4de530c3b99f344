"""Going on from a checkpoint in the run's own folder: after an interruption, or with more epochs."""

import inspect
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import starmap
from pathlib import Path
from typing import Any

import lightning as L

from overnight.config.errors import ConfigError, counted
from overnight.records.identity import fingerprint, sources, without_keys
from overnight.records.record import LAST, SETTLED, Record, edited
from overnight.training.checkpoints import read_checkpoint
from overnight.training.measure import build_measuring_trainer
from overnight.training.parts import build, build_parts

log = logging.getLogger(__name__)

Config = dict[str, Any]


def to_go_on_from(directory: Path, config: Config, earlier: Record | None, *, own: bool) -> str | None:
    """Return the checkpoint that a run is to go on from, None where there is none.

    Args:
        directory: the run's.
        config: resolved; may ask for another number of epochs than the checkpoint's run.
        earlier: the record in this folder.
        own: whether it is the checkpoint that this run left there, and not that of ``ckpt_path``.

    Raises:
        ValueError: the checkpoint is damaged; or what it would restore is not what the configuration says.
    """
    path = directory / LAST if own else Path(config["ckpt_path"] or "")
    if not (path.is_file() if own else config["ckpt_path"]):
        return None
    checkpoint = read_checkpoint(path)
    refuse_unfinished(path, checkpoint)
    before, known_as = checkpoint["config"], checkpoint["fingerprint"]
    plain = config | {"ckpt_path": None}
    as_long = plain | {"trainer": plain["trainer"] | {"max_epochs": before["trainer"]["max_epochs"]}}
    if own and fingerprint(as_long) != known_as:
        changed = ", ".join(differing(without_keys(plain, ("trainer.max_epochs",)), before))
        raise ConfigError(
            f"ckpt_path=last: {path} is of a run with other settings ({changed or 'other files'}). Needed: "
            f"the command of that run, of which trainer.max_epochs alone may be raised. To begin with its "
            f"weights and other settings, type: init_from={path} task_name=ANOTHER"
        )
    if other := edited(checkpoint.get("sources"), sources(config)):
        log.warning("%s: it goes on with other code, since %s changed", path, ", ".join(other))
    if fingerprint(plain) != known_as:
        refuse_untrue(path, checkpoint, config, earlier if own else None)
    return str(path)


def refuse_unfinished(path: Path, checkpoint: Config) -> None:
    """Refuse a checkpoint of the middle of an epoch, whose first half no history tells (ConfigError)."""
    epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]
    if epochs["ready"] != epochs["processed"]:
        raise ConfigError(
            f"ckpt_path={path}: it was saved in the middle of epoch {epochs['ready']}. Needed: one that was "
            f"saved after an epoch, such as last.ckpt. To begin with its weights, type: init_from={path}"
        )


def differing(ours: Config, theirs: Config, prefix: str = "") -> Iterator[str]:
    """Yield the dotted keys of what two configurations do not have in common, as KEY=VALUE of ours."""
    for key, value in ours.items():
        other = theirs.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            yield from differing(value, other, f"{prefix}{key}.")
        elif value != other:
            yield f"{prefix}{key}={value}"


def refuse_untrue(path: Path, checkpoint: Config, config: Config, earlier: Record | None) -> None:
    """Refuse what the checkpoint brings along that is not what the configuration says (ConfigError)."""
    before, now = checkpoint["config"]["trainer"]["max_epochs"], config["trainer"]["max_epochs"]
    done = int(checkpoint["history"][-1]["epoch"])
    given = f"trainer.max_epochs={now}: {path} is of a run of {counted(before, 'epoch')}"
    if now < done:
        raise ConfigError(f"{given}, {done} of which are trained. Needed: {done} or more")
    fresh = set_up(config)
    groups = [state["param_groups"] for state in checkpoint["optimizer_states"]]
    changed = sorted({key for pair in zip(fresh.optimizers, groups, strict=True) for key in changes(*pair)})
    if changed:
        raise ConfigError(
            f"ckpt_path={path}: its optimizer has another {', '.join(changed)}, and would go on with it. "
            f"Needed: the settings of that run. To begin with its weights and others, type: init_from={path}"
        )
    schedules = [*zip(fresh.schedulers, checkpoint["lr_schedulers"], strict=False)]
    other = [*other_settings(config, checkpoint["callbacks"])]
    if len(fresh.schedulers) != len(checkpoint["lr_schedulers"]) or not all(starmap(same_kind, schedules)):
        other += ["schedule of the learning rate"]
    if other:
        raise ConfigError(
            f"ckpt_path={path}: it has another {', '.join(other)}, and the run would go on with it. "
            f"Needed: the settings of that run. To begin with its weights and others, type: init_from={path}"
        )
    if not all(starmap(same_schedule, schedules)):
        raise ConfigError(
            f"{given}, and its learning rate follows a schedule over all of them: with another length it "
            f"would have been another from the start. Needed: that one, or a schedule without an end. "
            f"Type for a run of {counted(now, 'epoch')} from the beginning: task_name=ANOTHER, and no "
            f"ckpt_path"
        )
    if earlier and earlier["status"] in SETTLED and (earlier["status"] != "completed" or done < before):
        raise EndedError(f"{given} that ended by itself after {done}. More epochs would change nothing")


class EndedError(ConfigError):
    """A run was stopped before all of its epochs, and would be so if it had more."""


class Reached(Exception):  # noqa: N818 - nothing went wrong
    """Ends a fit before its first step."""


class Fresh(L.Callback):
    """The optimizers and schedulers that Lightning sets up for a fit, as they are before its first step."""

    optimizers: Sequence[Any]
    schedulers: Sequence[Any]

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Keep them, and end the fit by ``Reached``."""
        self.optimizers = trainer.optimizers
        self.schedulers = [config.scheduler for config in trainer.lr_scheduler_configs]
        raise Reached


def set_up(config: Config) -> Fresh:
    """Return what a fit with this configuration begins with."""
    fresh, (task, data) = Fresh(), build(config)
    with suppress(Reached):
        build_measuring_trainer(config, callbacks=[fresh]).fit(task, datamodule=data)
    return fresh


def changes(optimizer: Any, saved: Sequence[Config]) -> Iterator[str]:
    """Yield the settings of an optimizer that are not those of the saved groups; rates as they began.

    Groups that a callback adds in the middle of a fit are not there yet.
    """
    for ours, theirs in zip(optimizer.param_groups, saved, strict=False):
        for key in (ours.keys() & theirs.keys()) - {"params", "initial_lr"}:
            begun = "initial_lr" if key == "lr" and "initial_lr" in theirs else key
            if ours.get(begun, ours[key]) != theirs[begun]:
                yield key


MOVES = {"best", "num_bad_epochs", "cooldown_counter", "last_epoch", "_last_lr", "_step_count"}
"""What changes in the state of a scheduler that follows a metric; all else are settings."""


def same_kind(fresh: Any, saved: Config) -> bool:
    """Tell whether both follow a metric, with the same settings, or neither does."""
    ours = fresh.state_dict()
    if "num_bad_epochs" not in ours:
        return "num_bad_epochs" not in saved
    return ours.keys() == saved.keys() and all(ours[key] == saved[key] for key in ours.keys() - MOVES)


def other_settings(config: Config, saved: Config) -> Iterator[str]:
    """Yield the settings of callbacks that a checkpoint would bring: arguments that are in their state."""
    for callback in build_parts(config["callbacks"]):
        theirs, ours = saved.get(callback.state_key, {}), callback.state_dict()
        for key in inspect.signature(type(callback).__init__).parameters.keys() & theirs.keys() & ours.keys():
            if key != "dirpath" and ours[key] != theirs[key]:
                yield f"{type(callback).__name__}.{key}"


def same_schedule(fresh: Any, saved: Config) -> bool:
    """Tell whether a scheduler would stand where the saved one does, after as many steps.

    One that follows a metric, such as plateau, has no length.
    """
    if "last_epoch" not in saved or "num_bad_epochs" in saved:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the optimizer made no steps in between
        for _ in range(saved["last_epoch"] - fresh.last_epoch):
            fresh.step()
    return bool(fresh.state_dict() == saved)
