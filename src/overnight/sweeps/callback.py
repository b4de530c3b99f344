"""What a sweep says: a line for each finished run, and at its end the leaderboard."""

import logging
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from overnight.config.cli import legible
from overnight.config.commands import command
from overnight.config.continuation import GOES_ON, going_on
from overnight.config.errors import ConfigError, counted
from overnight.config.overrides import as_typed, overrides_by_key, write_override
from overnight.config.resolvers import sweep_folder
from overnight.records import sweep_state
from overnight.records.naming import UNNAMED
from overnight.records.record import RECORD_FILE, Record, read_record
from overnight.records.sampling import written

log = logging.getLogger(__name__)


class Sweep(Callback):
    """Hydra's callback. It is called in the parent and in every worker; files are what they share."""

    @legible
    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Begin the sweep, unless its sweeper does so itself, when it has seen that its jobs can be run."""
        if not hasattr(hydra.utils.get_class(config.hydra.sweeper._target_), "begin"):
            begin(config, None)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Report the finished run in one line."""
        if OmegaConf.is_missing(config.hydra.job, "num"):
            return
        directory = sweep_folder(config.hydra)
        path = Path(config.hydra.runtime.output_dir) / RECORD_FILE
        plan, record = sweep_state.read(directory), read_record(path.parent)
        if plan and record:
            new = path.stat().st_mtime >= plan.started
            counts = sweep_state.note_end(directory, record["name"], new=new)
            log.info("%s", line(record, plan, counts, new=new))
        lighten(job_return)

    @legible  # Hydra would turn an error into a warning, and success
    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the leaderboard, write results.csv, say what to type next; exit with 1 if a run failed."""
        from overnight.study.frames import load  # noqa: PLC0415
        from overnight.sweeps import leaderboard  # noqa: PLC0415 - pandas, once, after the runs

        directory = Path(config.hydra.sweep.dir)
        runs = leaderboard.current(load(directory), directory)
        if not runs.empty:
            runs.to_csv(directory / "results.csv", index=False)
            leaderboard.show(runs, directory, going_on(config, "sweep"))
        if sweep_state.stopped(directory):
            sys.stdout.write("stopped at the first failed run (on_failure=raise); the others were not run\n")
        if runs.empty or (runs["status"] == "failed").any():
            sys.exit(1)


def lighten(job_return: JobReturn) -> None:
    """Keep of a job's configuration only where it ran: the parent holds all results to the end."""
    assert job_return.hydra_cfg
    directory = job_return.hydra_cfg.hydra.runtime.output_dir
    job_return.cfg = None
    job_return.hydra_cfg = OmegaConf.create({"hydra": {"runtime": {"output_dir": directory}}})


def begin(config: DictConfig, total: int | None, common: Sequence[str] = ()) -> None:
    """Leave word of what is planned, for whoever counts, and say how to go on if this is interrupted.

    ``total`` is None where only its sweeper knows; all have the ``common`` overrides, besides those typed.

    Raises:
        ConfigError: what is varied tells no run from another.
        FileExistsError: its folder holds files that no sweep wrote.
    """
    directory = Path(config.hydra.sweep.dir)
    prepared = OmegaConf.select(config, "hydra.sweeper.params") or {}
    typed = [*(f"{key}={value}" for key, value in prepared.items()), *as_typed(config.hydra)]
    overrides = overrides_by_key(typed).values()
    fixed = [write_override(override) for override in overrides if not override.is_sweep_override()]
    swept = [override.key_or_group for override in overrides if override.is_sweep_override()]
    if same := UNNAMED.intersection(swept):
        raise ConfigError(
            f"{', '.join(sorted(same))}: several values. Needed: one, since no run of a sweep is told from "
            f"another by it. Type a command for each value"
        )
    plan = sweep_state.begin(directory, total, going_on(config, "sweep"), [*fixed, *common], swept)
    GOES_ON.set(plan.command)
    runs = counted(plan.total, "run") if plan.total else "several runs"
    sys.stdout.write(
        f"{runs}; to look at them from another terminal:\n"
        f"  {command('status.py', directory)}\nto go on after an interruption:\n  {plan.command}\n"
    )


def line(record: Record, plan: sweep_state.Plan, counts: Counter[str], *, new: bool) -> str:
    """Return the line of one finished run: count, result, time taken, name, time left."""
    total = plan.total or "?"
    taken = f"{record['seconds']:6.1f} s" if record["seconds"] else " " * 8
    why = f": {record['error']['message']}" if record["error"] else ""
    after = sweep_state.time_left(plan, counts) if new else "  (recorded before)"
    place = f"{counts.total():>{len(str(total))}}/{total}"
    return f"{place}  {_write_result(record):<14}  {taken}  {record['name']}{why}{after}"


def _write_result(record: Record) -> str:
    metric, completed = record["metric"], record["status"] == "completed"
    value = (record["best"] or {}).get(metric) if completed else None
    if value is None:
        return "completed" if completed else str(record["status"]).upper()
    return f"{metric} {written(value)}"
