"""One run's life: a composed configuration in, a record out."""

import logging
import math
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from fcnlab import ledger, schema
from fcnlab.naming import run_name
from fcnlab.resolvers import single_run, typed
from fcnlab.sampling import with_error
from fcnlab.training import describe, train

log = logging.getLogger(__name__)

Config = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What Hydra knows of this run besides its configuration."""

    name: str
    directory: Path
    overrides: list[str]
    choices: dict[str, Any]
    alone: bool

    @classmethod
    def current(cls, cfg: DictConfig) -> "Job":
        """Ask Hydra; of a group that takes a list of options, it does not know them."""
        hydra_config = HydraConfig.get()
        choices: Any = OmegaConf.to_container(hydra_config.runtime.choices)
        directory = Path(hydra_config.runtime.output_dir)
        return cls(
            name=run_name(typed()) if single_run() else directory.name,
            directory=directory,
            overrides=typed(),
            choices={key: value for key, value in choices.items() if not key.startswith("hydra")}
            | {"regularization": "+".join(cfg.regularization) or "none"},
            alone=single_run(),
        )


def run(cfg: DictConfig) -> float:
    """Train, measure and record one run; return its best validation accuracy, NaN where there is none.

    A run that is completed already, with the same fingerprint, is not run again. In a sweep an error is
    recorded and the sweep goes on.

    Raises:
        SystemExit: the run is a single one and failed; the error is its message.
    """
    job = Job.current(cfg)
    told = logging.INFO if job.alone else logging.DEBUG  # in a sweep, on_job_end has its own line
    record: ledger.Record = begin(job)
    try:
        config: Config = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)  # type: ignore[assignment]
        record |= {"fingerprint": ledger.fingerprint(config), "config": config}
        if done := ledger.completed(job.directory, record["fingerprint"]):
            log.log(told, "completed already: %s", job.directory)
            return score(done)
        ledger.set_aside(job.directory)
        schema.check(config)
        record |= train(config, job.directory, job.choices)
    except Exception as error:  # noqa: BLE001 - whatever it is: it is recorded, and the sweep goes on
        record |= failure(error)
    ledger.write(record, job.directory)
    log.log(told, "%s", summary(record, job.directory))
    if record["status"] == "failed" and job.alone:
        sys.exit(f"Error: {record['error']['message']}")
    return score(record)


def begin(job: Job) -> ledger.Record:
    """Return what is known of a run before its configuration is resolved."""
    return {
        "schema": ledger.SCHEMA,
        "name": job.name,
        "status": "failed",
        "error": None,
        "fingerprint": None,
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
        "environment": None,
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
