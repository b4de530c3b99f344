"""What a sweep says: a line for each finished run, and at its end the leaderboard."""

import json
import logging
import math
import shlex
import sys
import time
from collections import Counter
from collections.abc import Hashable
from pathlib import Path
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ValueType
from hydra.core.utils import JobReturn
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf
from rich import box
from rich.console import Console
from rich.table import Table

from fcnlab import ledger
from fcnlab.sampling import with_error

log = logging.getLogger(__name__)

PLAN = "sweep.json"
ENDED = ".ended"
COUNTABLE = {ValueType.CHOICE_SWEEP, ValueType.SIMPLE_CHOICE_SWEEP, ValueType.RANGE_SWEEP}
SHOWN = 20  # rows of the leaderboard on the terminal; results.csv has all


class Sweep(Callback):
    """Hydra's callback. It is called in the parent and in every worker; files are what they share."""

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:
        """Leave word of what is planned, for whoever counts, and say how to go on if this is interrupted."""
        directory = Path(config.hydra.sweep.dir)
        directory.mkdir(parents=True, exist_ok=True)
        plan = {"started": time.time(), "total": planned_runs(config)}
        (directory / PLAN).write_text(json.dumps(plan))
        (directory / ENDED).write_text("")
        sys.stdout.write(
            f"{plan['total'] or 'several'} runs; to go on after an interruption:\n  {resume(directory)}\n"
        )

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:
        """Report the finished run in one line."""
        if OmegaConf.is_missing(config.hydra.job, "num"):
            return
        directory = Path(config.hydra.sweep.dir)
        plan = json.loads((directory / PLAN).read_text())
        path = Path(config.hydra.runtime.output_dir) / ledger.FILENAME
        record = ledger.read(path.parent)
        if record:
            new = path.stat().st_mtime >= plan["started"]
            log.info("%s", line(record, plan, note_end(directory, new=new), new=new))

    def on_multirun_end(self, config: DictConfig, **kwargs: Any) -> None:
        """Print the leaderboard, write results.csv, and say what to type next.

        Raises:
            SystemExit: a run failed; with status 1.
        """
        from fcnlab.study.compare import leaderboard  # noqa: PLC0415 - pandas, once, after the runs
        from fcnlab.study.frames import load  # noqa: PLC0415

        directory = Path(config.hydra.sweep.dir)
        runs = load(directory)
        if runs.empty:
            return
        runs.to_csv(directory / "results.csv", index=False)
        console = Console() if sys.stdout.isatty() else Console(width=200)  # a file has no width of its own
        console.print(drawn(leaderboard(runs), title=str(directory)))
        console.print(
            last_words(directory, runs.to_dict("records")), soft_wrap=True, highlight=False, markup=False
        )
        if (runs["status"] == "failed").any():
            sys.exit(1)


def resume(directory: Path) -> str:
    """Return the command that runs what is missing in this folder: the one that was typed, and its name."""
    typed = [argument for argument in sys.argv[1:] if not argument.startswith("task_name=")]
    return shlex.join(["python", *sys.argv[:1], *typed, f"task_name={directory.name}"])


def note_end(directory: Path, *, new: bool) -> Counter[str]:
    """Add a line for a run that ended, from whatever process, and count the lines so far: new and old."""
    with (directory / ENDED).open("a") as file:
        file.write("new\n" if new else "old\n")
    return Counter((directory / ENDED).read_text().split())


def planned_runs(config: DictConfig) -> int | None:
    """Return the number of runs in the sweep, or None where only Hydra can count them (glob)."""
    params = OmegaConf.select(config, "hydra.sweeper.params") or {}
    typed = [*(f"{key}={value}" for key, value in params.items()), *config.hydra.overrides.task]
    overrides = {o.get_key_element(): o for o in OverridesParser.create().parse_overrides(typed)}
    swept = [o for o in overrides.values() if o.is_sweep_override()]
    if not all(o.value_type in COUNTABLE for o in swept):
        return None
    return math.prod(len(list(o.sweep_string_iterator())) for o in swept)


def line(record: ledger.Record, plan: dict[str, Any], ended: Counter[str], *, new: bool) -> str:
    """Return the line of one finished run: count, result, time taken, name, time left."""
    total = plan["total"] or "?"
    completed = record["status"] == "completed"
    result = f"val/acc {record['best']['val/acc']:.4f}" if completed else record["status"].upper()
    taken = f"{record['seconds']:6.1f} s" if record["seconds"] else " " * 8
    why = f": {record['error']['message']}" if record["error"] else ""
    after = time_left(plan, ended) if new else "  (recorded before)"
    return f"{ended.total():>{len(str(total))}}/{total}  {result:<14}  {taken}  {record['name']}{why}{after}"


def time_left(plan: dict[str, Any], ended: Counter[str]) -> str:
    """Return how long the other runs will take if they take as long as those of this sweep so far."""
    left = (plan["total"] or 0) - ended.total()
    if ended["new"] < 1 or left < 1:
        return ""
    minutes, seconds = divmod(round((time.time() - plan["started"]) / ended["new"] * left), 60)
    return f"  ({minutes}:{seconds:02d} left)"


def drawn(board: Any, title: str) -> Table:
    """Draw the first rows of a leaderboard for the terminal."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for column in board.columns:
        table.add_column(column, justify="right", no_wrap=True)
    for row in board.head(SHOWN).itertuples(index=False):
        table.add_row(*(cell(value) for value in row))
    return table


def cell(value: Any) -> str:
    """Write a value as a person reads it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def last_words(directory: Path, runs: list[dict[Hashable, Any]]) -> str:
    """Name the failed runs, the winner with its one test accuracy, and the next commands."""
    failed = [
        f"FAILED {run['name']}: {run['error']} (log: {run['path']}/train.log)"
        for run in runs
        if run["status"] == "failed"
    ]
    ranked = [run for run in runs if run["status"] == "completed"]
    best = [winner(max(ranked, key=lambda run: run["val/acc"]))] if ranked else []
    again = [f"again:   {resume(directory)}"] if failed else []
    return "\n".join([*failed, *again, *best, f"curves:  tensorboard --logdir {directory}"])


def winner(run: dict[Hashable, Any]) -> str:
    """Say what the best run by validation reaches on the test set."""
    return (
        f"best by val/acc: {run['name']}, test/acc {with_error(run['test/acc'], int(run['data.test']))}\n"
        f"measure: python eval.py ckpt_path={run['path']}/{run['checkpoint']}"
    )
