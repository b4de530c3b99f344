"""What a member leaves behind: the same files and the same record as a run of its own."""

import logging
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn
from omegaconf import DictConfig

from overnight.config.errors import counted
from overnight.data.in_memory import InMemoryData
from overnight.launchers.job import Job
from overnight.runs import run
from overnight.runs.attempt import make_room
from overnight.runs.origin import Origin
from overnight.stacked.member import Member
from overnight.training import fit, parts
from overnight.training.loggers import close_loggers, tell_loggers
from overnight.training.measure import build_measuring_trainer, measure_split
from overnight.training.optimizers import tell_of_others
from overnight.training.results import Measured, facts, results
from overnight.training.rows import draw_row
from overnight.training.saving import AtomicCheckpointIO
from overnight.training.trust import tell_of_unbuildable

log = logging.getLogger(__name__)

Config = dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    """A member that has been trained.

    Args:
        member: the run.
        measured: the metrics of its best.ckpt and last.ckpt.
        others: with how many it was trained.
        first: of its group: its best weights are validated once more, by an ordinary Trainer.
    """

    member: Member
    measured: dict[Path, Measured]
    others: int
    first: bool

    def execute(self, job: Job) -> JobReturn:
        """Run its job, which has nothing left to do but to write everything down.

        The directory is held already.
        """
        return replace(job, task_function=self._conclude).execute()

    def _conclude(self, cfg: DictConfig) -> float:
        return run.run(cfg, self._write, hold=lambda *_: nullcontext(enter_result=False))

    def _write(self, config: Config, origin: Origin, _: bool) -> Config:  # noqa: FBT001
        make_room(origin)
        member = self.member
        tell_of_others(config["task"], member.trainer.optimizers)
        tell_of_unbuildable(member.history.config)
        log.debug("stacked with %d others; its seconds are its share", self.others)
        disk = AtomicCheckpointIO()
        for path, checkpoint in member.checkpoints.held.items():
            disk.save_checkpoint(checkpoint, path)
        loggers = parts.build_parts(config["logger"])
        rows = member.history.rows
        for row in rows:
            draw_row(row, loggers, already=set())
        measured = self.measured
        if self.first and "best" in member.saved:
            measured = self._validated_ordinarily(config, origin.directory)
        trained = results(config, rows, member.saved, measured, fit.best_score(member.trainer))
        samples = len(member.data.split.train) * (len(rows) - 1)
        trained |= facts(member.task, member.data, member.seconds, samples)
        trained |= {"trained": f"stacked with {counted(self.others, 'other')}", "device": str(member.device)}
        tell_loggers(loggers, config, origin.choices, origin.overrides, trained)
        for logger in loggers:
            logger.finalize("success")
        close_loggers(loggers)
        return (member.outcome or {}) | trained

    def _validated_ordinarily(self, config: Config, directory: Path) -> dict[Path, Measured]:
        task, data = parts.build(config)
        best = self.member.saved["best"]
        with data.evaluating("val") if isinstance(data, InMemoryData) else nullcontext():
            again = measure_split(build_measuring_trainer(config), task, data, directory / best)
        known = self.measured[best]
        return self.measured | {best: known._replace(metrics=known.metrics | again)}
