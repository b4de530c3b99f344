"""One run's life: a composed configuration in, a record out."""

import logging
import math
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from fcnlab import ledger, schema, sweep
from fcnlab.checkpoints import to_go_on_from
from fcnlab.claim import claimed
from fcnlab.environment import environment
from fcnlab.origin import Origin
from fcnlab.sampling import with_error
from fcnlab.training import describe, train

log = logging.getLogger(__name__)

Config = dict[str, Any]

CURABLE = (OSError, RuntimeError, MemoryError)
"""What another attempt may not meet again: a full disk, a GPU without memory, a lost connection."""


Work = Callable[[Config, Origin, str | None], Config]
Hold = Callable[[Path], AbstractContextManager[object]]


def run(cfg: DictConfig) -> float:
    """Train, measure and record one run; return its best validation accuracy, NaN where there is none.

    A run that is completed already, with the same fingerprint, is not run again; one that another process
    is at work on is waited for. In a sweep an error is recorded and the sweep goes on.

    Raises:
        SystemExit: the run is a single one and failed; the error is its message.
        OSError: the record cannot be written.
    """
    return conclude(cfg, attempt)


def lost(why: str, cfg: DictConfig) -> float:
    """Record that the process of this run died; a launcher calls this in place of ``run``."""

    def fail(*_: Any) -> Config:
        raise ChildProcessError(why)

    return conclude(cfg, fail)


def conclude(cfg: DictConfig, work: Work, hold: Hold = claimed) -> float:
    """Record how the work ended, unless it was done before or the sweep is to stop; hold the directory."""
    origin = Origin.current(cfg)
    if origin.sweep and sweep.stopped(origin.sweep):
        return math.nan
    with hold(origin.directory):
        record = recorded(cfg, origin, work)
    log.log(origin.level, "%s", summary(record, origin.directory))
    if record["status"] == "failed":
        if not origin.sweep:
            sys.exit(f"Error: {record['error']['message']}")
        AFTER_FAILURE.get(cfg.on_failure, sweep.stop)(origin.sweep)
    return score(record)


def recorded(cfg: DictConfig, origin: Origin, work: Work) -> ledger.Record:
    """Return the record of a run that was done before; or do the work, and write its record."""
    record = begin(origin)
    try:
        config, interrupted = resolved(cfg)
        record |= {"fingerprint": ledger.fingerprint(config), "config": config}
        if done := ledger.settled(origin.directory, record["fingerprint"]):
            log.log(origin.level, "%s already; not run again", done["status"])
            return done
        checkpoint = to_go_on_from(origin.directory, record["fingerprint"]) if interrupted else None
        make_room(origin.directory, ledger.FILENAME if checkpoint else "*")
        schema.check(config)
        record |= work(config, origin, checkpoint or config["ckpt_path"])
    except Exception as error:  # noqa: BLE001 - whatever it is: it is recorded, and the sweep goes on
        record |= failure(error)
    make_room(origin.directory, ledger.FILENAME)
    ledger.write(record, origin.directory)
    return record


def resolved(cfg: DictConfig) -> tuple[Config, bool]:
    """Return the configuration, and whether an interrupted run is to go on: that makes no other run of it."""
    config: Any = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    interrupted = config["ckpt_path"] == "last"
    return config | ({"ckpt_path": None} if interrupted else {}), interrupted


def make_room(directory: Path, pattern: str) -> None:
    """Set aside what another run left; say so if its record is damaged."""
    damaged = (directory / ledger.FILENAME).exists() and not ledger.read(directory)
    aside = ledger.set_aside(directory, pattern)
    if damaged:
        log.warning("%s is damaged: it lies in %s now, the run is run again", ledger.FILENAME, aside)


def attempt(config: Config, origin: Origin, checkpoint: str | None) -> Config:
    """Train; again, if that may cure the error, as often as ``retries`` allows."""
    for left in range(config["retries"], 0, -1):
        try:
            return train(config, origin.directory, origin.choices, checkpoint)
        except CURABLE as error:
            log.warning("%s: failed, will be tried again (%d left): %s", origin.name, left, error)
            log.debug("the attempt failed", exc_info=error)
        if not checkpoint:
            ledger.set_aside(origin.directory)
    return train(config, origin.directory, origin.choices, checkpoint)


AFTER_FAILURE: dict[str, Callable[[Path], None]] = {"continue": lambda _: None, "raise": sweep.stop}
"""What ``on_failure`` lets a failed run of a sweep do to the others."""


def begin(origin: Origin) -> ledger.Record:
    """Return what is known of a run before its configuration is resolved."""
    return {
        "schema": ledger.SCHEMA,
        "name": origin.name,
        "status": "failed",
        "error": None,
        "fingerprint": None,
        "command": origin.command,
        "overrides": origin.overrides,
        "choices": origin.choices,
        "config": None,
        "model": None,
        "history": [],
        "best": None,
        "last": None,
        "checkpoint": None,
        "seconds": None,
        "samples_per_second": None,
        "data": None,
        "environment": environment(),
    }


def failure(error: Exception) -> ledger.Record:
    """Return what the record says of an error, and put its traceback into the log."""
    log.debug("the run failed", exc_info=error)
    return {"status": "failed", "error": describe(error)}


def score(record: ledger.Record) -> float:
    """Return the validation accuracy of the best weights, NaN where there are none."""
    return record["best"]["val/acc"] if record["status"] == "completed" else math.nan


def summary(record: ledger.Record, directory: Path) -> str:
    """Say in a few lines how a single run ended."""
    where = f"record, log and curves: {directory}"
    if record["status"] == "failed":
        return where
    best = record["best"]
    test = with_error(best["test/acc"], record["data"]["test"])
    return (
        f"{record['status']} in {record['seconds']:.1f} s; best in epoch {best['epoch']}: "
        f"val/acc {best['val/acc']:.4f}, test/acc {test}\n{where}"
    )
