"""One run's life: a composed configuration in, a record out."""

import logging
import math
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from fcnlab import ledger, schema, sweep
from fcnlab.checkpoints import to_go_on_from
from fcnlab.claim import claimed
from fcnlab.environment import environment
from fcnlab.naming import run_name
from fcnlab.resolvers import single_run, typed
from fcnlab.sampling import with_error
from fcnlab.training import describe, train

log = logging.getLogger(__name__)

Config = dict[str, Any]

CURABLE = (OSError, RuntimeError, MemoryError)
"""What another attempt may not meet again: a full disk, a GPU without memory, a lost connection."""


@dataclass(frozen=True)
class Job:
    """What Hydra knows of this run besides its configuration; ``sweep`` is the sweep's directory, if any."""

    name: str
    directory: Path
    overrides: list[str]
    choices: dict[str, Any]
    command: str
    sweep: Path | None

    @classmethod
    def current(cls, cfg: DictConfig) -> "Job":
        """Ask Hydra; of a group that takes a list of options, it does not know them."""
        hydra_config = HydraConfig.get()
        choices: Any = OmegaConf.to_container(hydra_config.runtime.choices)
        directory = Path(hydra_config.runtime.output_dir)
        folder = None if single_run() else Path(hydra_config.sweep.dir)
        plan = sweep.read(folder) if folder else None
        return cls(
            name=directory.name if folder else run_name(typed()),
            directory=directory,
            overrides=typed(),
            choices={key: value for key, value in choices.items() if not key.startswith("hydra")}
            | {"regularization": "+".join(cfg.regularization) or "none"},
            command=plan.command if plan else shlex.join(["python", *sys.argv]),
            sweep=folder,
        )


Work = Callable[[Config, Job, str | None], Config]


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


def conclude(cfg: DictConfig, work: Work) -> float:
    """Record how the work ended, unless it was done before or the sweep is to stop."""
    job = Job.current(cfg)
    if job.sweep and sweep.stopped(job.sweep):
        return math.nan
    with claimed(job.directory):
        record = recorded(cfg, job, work)
    told = logging.DEBUG if job.sweep else logging.INFO  # in a sweep, on_job_end has its own line
    log.log(told, "%s", summary(record, job.directory))
    if record["status"] == "failed":
        if not job.sweep:
            sys.exit(f"Error: {record['error']['message']}")
        AFTER_FAILURE.get(cfg.on_failure, sweep.stop)(job.sweep)
    return score(record)


def recorded(cfg: DictConfig, job: Job, work: Work) -> ledger.Record:
    """Return the record of a run that was done before; or do the work, and write its record."""
    record = begin(job)
    try:
        config, interrupted = resolved(cfg)
        record |= {"fingerprint": ledger.fingerprint(config), "config": config}
        if done := ledger.settled(job.directory, record["fingerprint"]):
            log.debug("completed already: %s", job.directory)
            return done
        checkpoint = to_go_on_from(job.directory, record["fingerprint"]) if interrupted else None
        make_room(job.directory, ledger.FILENAME if checkpoint else "*")
        schema.check(config)
        record |= work(config, job, checkpoint or config["ckpt_path"])
    except Exception as error:  # noqa: BLE001 - whatever it is: it is recorded, and the sweep goes on
        record |= failure(error)
    make_room(job.directory, ledger.FILENAME)
    ledger.write(record, job.directory)
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


def attempt(config: Config, job: Job, checkpoint: str | None) -> Config:
    """Train; again, if that may cure the error, as often as ``retries`` allows."""
    for left in range(config["retries"], 0, -1):
        try:
            return train(config, job.directory, job.choices, checkpoint)
        except CURABLE as error:
            log.warning("%s: failed, will be tried again (%d left): %s", job.name, left, error)
            log.debug("the attempt failed", exc_info=error)
        if not checkpoint:
            ledger.set_aside(job.directory)
    return train(config, job.directory, job.choices, checkpoint)


AFTER_FAILURE: dict[str, Callable[[Path], None]] = {"continue": lambda _: None, "raise": sweep.stop}
"""What ``on_failure`` lets a failed run of a sweep do to the others."""


def begin(job: Job) -> ledger.Record:
    """Return what is known of a run before its configuration is resolved."""
    return {
        "schema": ledger.SCHEMA,
        "name": job.name,
        "status": "failed",
        "error": None,
        "fingerprint": None,
        "command": job.command,
        "overrides": job.overrides,
        "choices": job.choices,
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
