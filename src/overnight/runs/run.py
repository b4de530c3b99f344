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
from overnight.records.identity import fingerprint, sources
from overnight.records.lock import claimed
from overnight.records.metric import counterpart
from overnight.records.record import (
    RECORD_FILE,
    Record,
    edited,
    read_record,
    refuse_foreign,
    refuse_shared,
    score,
    set_aside,
    settled_record,
    write_record,
)
from overnight.records.sampling import with_error, written
from overnight.runs.attempt import attempt
from overnight.runs.origin import Origin, interpolated_keys, resolved
from overnight.training.fit import describe_error
from overnight.training.going_on import EndedError, to_go_on_from
from overnight.training.history import History
from overnight.training.parts import build, build_trainer, load_weights

log = logging.getLogger(__name__)

Config = dict[str, Any]

OTHER_CODE = (
    "its record is of other code: {} changed since. To train with this one, too, type another task_name; to "
    "train with it instead, remove the run's folder first"
)

Work = Callable[[Config, Origin, bool], Config]
Hold = Callable[[Path, str, str], AbstractContextManager[bool]]


def run(cfg: DictConfig, work: Work = attempt, hold: Hold = claimed) -> float:
    """Train, measure and record one run; return the metric of its best weights, NaN where there is none.

    A run that is settled already, with the same fingerprint, is not run again. If another process is at work
    on it, this one waits. In a sweep an error is recorded and the sweep goes on.

    Args:
        cfg: composed, not resolved.
        work: what trains, or goes on if that is asked for; what it returns goes into the record.
        hold: holds the run's directory, so that nobody else works there.

    Raises:
        SystemExit: the run is a single one and failed; the error is its message.
        OSError: the record cannot be written; or the directory holds what no run wrote.
    """
    origin = Origin.current(cfg)
    if origin.sweep and sweep_state.stopped(origin.sweep):
        return math.nan
    with hold(origin.directory, *origin.job) as shared:
        record, done, going_on = origin.blank_record(), None, False
        try:
            config, going_on = resolved(cfg, origin.directory)
            record |= {"config": config, "interpolated": interpolated_keys(cfg)}
            schema.check(config)
            record |= {"fingerprint": fingerprint(config), "sources": sources(config)}
            done = settled_record(origin.directory, record["fingerprint"])
            if not done:
                refuse_shared(origin.directory, shared)
                trained = work(config, origin, going_on)
                record["environment"]["device"] = trained.pop("device")
                record |= trained
        except EndedError as error:
            log.log(origin.level, "%s", error)
            done = settled_record(origin.directory)
        except Exception as error:
            if shared or (going_on and settled_record(origin.directory)):
                raise  # the record here stays
            log.debug("the run failed", exc_info=error)
            record |= {"status": "failed", "error": describe_error(error)}
        if not done:
            set_aside(origin.directory, [RECORD_FILE])
            write_record(record, origin.directory)
    return conclude(done, record, origin, cfg.on_failure)


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

    def fail(_: Config, origin: Origin, __: bool) -> Config:  # noqa: FBT001
        set_aside(origin.directory, [RECORD_FILE])
        raise ChildProcessError(why)

    return run(cfg, fail)


def conclude(done: Record | None, record: Record, origin: Origin, on_failure: str) -> float:
    """Say how a run ended, and return its score; after a failure end the process, or stop the sweep if asked.

    ``done`` is the record that was there before, if there was one.
    """
    if done:
        log.log(origin.level, "%s already; not run again", done["status"])
    elif record["status"] == "failed" and origin.sweep and on_failure != "continue":
        sweep_state.stop(origin.sweep)
    log.log(origin.level, "%s", summary(done or record, origin.directory))
    if not done and record["status"] == "failed" and not origin.sweep:
        error = record["error"]
        sys.exit(f"Error: {error['message']}" + (f" ({error['place']})" if "place" in error else ""))
    if done and (other := edited(done.get("sources"), record["sources"])):
        log.warning("%s: %s", origin.name, OTHER_CODE.format(", ".join(other)))
    return score(done or record)


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
    samples = (record["data"] or {}).get("test") if record["config"]["metric_share"] else None
    told = f"{metric} {written(best[metric])}"
    if best.get(test) is not None and test != metric:
        told += f", {test} {with_error(best[test], samples)}"
    doubt = "" if record["checked"] is True else f"\nnot confirmed: {record['checked']}"
    return f"{ended}; best in epoch {best['epoch']}: {told}{doubt}\n{where}"
