"""One run's life: a composed configuration in, a record out."""

import logging
import math
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from overnight.config import schema
from overnight.config.unused import refuse_unused
from overnight.records import sweep_state
from overnight.records.folder import LAST, claim, refuse_foreign, set_aside
from overnight.records.lock import locked
from overnight.records.metric import counterpart
from overnight.records.record import (
    RECORD_FILE,
    SETTLED,
    Record,
    fingerprint,
    read_record,
    score,
    settled_record,
    write_record,
)
from overnight.records.sampling import with_error
from overnight.records.sources import edited, sources
from overnight.runs.origin import Origin, interpolated_keys, resolved
from overnight.training.fit import describe_error, train
from overnight.training.going_on import EndedError, to_go_on_from
from overnight.training.history import History
from overnight.training.parts import build, build_trainer, load_weights

log = logging.getLogger(__name__)

Config = dict[str, Any]

CURABLE = (OSError, RuntimeError, MemoryError)
"""What another attempt may not meet again: a full disk, a GPU without memory, a lost connection."""

OTHER_CODE = (
    "its record is of other code: {} changed since. To train with this one, too, type another task_name; to "
    "train with it instead, remove the run's folder first"
)

Work = Callable[[Config, Origin, str | None], Config]
Hold = Callable[[Path], AbstractContextManager[object]]


def attempt(config: Config, origin: Origin, checkpoint: str | None) -> Config:
    """Train; again, if that may cure the error, as often as ``retries`` allows."""
    left = config["retries"]
    while True:
        try:
            return train(config, origin.directory, origin.choices, origin.overrides, checkpoint)
        except CURABLE as error:
            if not left:
                raise
            log.warning("%s: failed, will be tried again (%d left): %s", origin.name, left, error)
            log.debug("the attempt failed", exc_info=error)
        left -= 1
        if not checkpoint:
            set_aside(origin.directory)


def run(cfg: DictConfig, work: Work = attempt, hold: Hold = locked) -> float:
    """Train, measure and record one run; return the metric of its best weights, NaN where there is none.

    A run that is settled already, with the same fingerprint, is not run again. If another process is at work
    on it, this one waits. In a sweep an error is recorded and the sweep goes on.

    Args:
        cfg: composed, not resolved.
        work: what trains; what it returns goes into the record.
        hold: holds the run's directory, so that nobody else works there.

    Raises:
        SystemExit: the run is a single one and failed; the error is its message.
        OSError: the record cannot be written; or the directory holds what no run wrote.
    """
    origin = Origin.current(cfg)
    if origin.sweep and sweep_state.stopped(origin.sweep):
        return math.nan
    with hold(origin.directory):
        shared = claim(origin.directory, *origin.job)
        record, done, kept = origin.begin(), None, shared
        try:
            config, going_on = resolved(cfg, origin.directory)
            record |= {"config": config, "interpolated": interpolated_keys(cfg)}
            schema.check(config)
            record["fingerprint"] = known_as = fingerprint(config)
            record["sources"] = sources(config)
            done = settled_record(origin.directory, known_as)
            if not done:
                refuse_shared(shared, origin.directory)
                earlier = read_record(origin.directory)
                kept = shared or (going_on and earlier is not None and earlier["status"] in SETTLED)
                checkpoint = to_go_on_from(origin.directory, config, earlier, own=going_on)
                kept = False
                make_room(origin, earlier, checkpoint, going_on=going_on)
                trained = work(config, origin, checkpoint)
                record["environment"]["device"] = trained.pop("device")
                record |= trained
        except EndedError as error:
            log.log(origin.level, "%s", error)
            done = read_record(origin.directory)
        except Exception as error:
            if kept:
                raise  # the record here stays
            log.debug("the run failed", exc_info=error)
            record |= {"status": "failed", "error": describe_error(error)}
        if not done:
            set_aside(origin.directory, [RECORD_FILE])
            write_record(record, origin.directory)
    if done and (other := edited(done.get("sources"), record["sources"] or {})):
        log.warning("%s: %s", origin.name, OTHER_CODE.format(", ".join(other)))
    conclude(done or record, origin, cfg.on_failure, before=done is not None)
    return score(done or record)


def refuse_shared(shared: bool, directory: Path) -> None:  # noqa: FBT001
    """Refuse a second job of a sweep in a folder that another one has used.

    Raises:
        FileExistsError: it is shared.
    """
    if shared:
        raise FileExistsError(
            f"{directory}: another job of this sweep has run here, with other settings. Needed: a folder for "
            f"each job. Type no hydra.sweep.subdir, and no list of values for task_name"
        )


def make_room(origin: Origin, earlier: Record | None, checkpoint: str | None, *, going_on: bool) -> None:
    """Move what an earlier run left out of the way, and say where to; of a run that goes on, its record."""
    if going_on and checkpoint:
        set_aside(origin.directory, [RECORD_FILE])
        return
    if going_on:
        missing = origin.directory / LAST
        log.warning("ckpt_path=last: there is no %s; the run starts from the beginning", missing)
    aside = set_aside(origin.directory)
    if aside and earlier:
        log.log(origin.level, "an earlier run was here (%s); it lies in %s now", earlier["status"], aside)


def refuse(cfg: DictConfig, directory: Path) -> None:
    """Refuse a run that cannot be honoured, before anything in its directory is touched or data is read.

    Raises:
        ConfigError: says why.
        FileExistsError: the directory holds what no run wrote.
        FileNotFoundError: a checkpoint is missing.
    """
    refuse_foreign(directory)
    config, going_on = resolved(cfg, directory)
    refuse_unused(cfg, HydraConfig.get())
    schema.check(config)
    task, _ = build(config)
    build_trainer(config | {"logger": {}}, directory, History(config))
    if not settled_record(directory, fingerprint(config)):
        load_weights(task, config["init_from"])
        to_go_on_from(directory, config, read_record(directory), own=going_on)


def lost(why: str, cfg: DictConfig) -> float:
    """Record that the process of this run died; a launcher calls this in place of ``run``."""

    def fail(*_: Any) -> Config:
        raise ChildProcessError(why)

    return run(cfg, fail)


def conclude(record: Record, origin: Origin, on_failure: str, *, before: bool) -> None:
    """Say how a run ended; after a failure end the process, or the sweep if it is to stop."""
    if before:
        log.log(origin.level, "%s already; not run again", record["status"])
    log.log(origin.level, "%s", summary(record, origin.directory))
    if record["status"] == "failed":
        if not origin.sweep:
            sys.exit(f"Error: {record['error']['message']}")
        if on_failure != "continue":
            sweep_state.stop(origin.sweep)


def summary(record: Record, directory: Path) -> str:
    """Say in a few lines how a single run ended."""
    where = f"record, log and curves: {directory}"
    if record["status"] == "failed":
        return where
    ended = f"{record['status']} in {record['seconds']:.1f} s"
    best, metric = record["best"], record["metric"]
    if not best or best.get(metric) is None:
        return f"{ended}; there is no best: {record['checked']}\n{where}"
    test = counterpart(metric, "test")
    told = f"{metric} {best[metric]:.4f}"
    if best.get(test) is not None and test != metric:
        told += f", {test} {with_error(best[test], record['config']['metric_share'], record['data'])}"
    doubt = "" if record["checked"] is True else f"\nnot confirmed: {record['checked']}"
    return f"{ended}; best in epoch {best['epoch']}: {told}{doubt}\n{where}"
