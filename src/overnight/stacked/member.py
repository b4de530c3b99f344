"""One run among those that are stacked: all that is its own, and none of the arithmetic."""

from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Checkpoint, EarlyStopping
from lightning.pytorch.trainer.states import TrainerFn
from torch import Tensor

from overnight.data.batches import Batches
from overnight.stacked.held import HeldCheckpoints, own_generator
from overnight.stacked.steps import collecting_logs
from overnight.training import fit, parts
from overnight.training.attributes import Attributes
from overnight.training.history import History
from overnight.training.rows import DivergedError, Row, check_loss, check_row

Config = dict[str, Any]


class Member:
    """Task, data and trainer of one run, built as a run of its own builds them, from the same seed.

    Lightning's Trainer stands here for its settings, its callbacks and the form of a checkpoint; its loop
    does not run. The methods are called at those points of the fit at which the loop would act.
    """

    def __init__(self, config: Config, directory: Path) -> None:
        L.seed_everything(config["seed"], verbose=False)
        self.config = config
        task, data = parts.build(config)
        self.task: Any = task
        self.data: Any = data
        kept = task.state_dict()
        self.unsaved = {name: b.clone() for name, b in task.named_buffers() if name not in kept}
        self.history = History(parts.informed(config, data))
        self.trainer = parts.build_trainer(config | {"logger": {}}, directory, self.history)
        self.device = self.trainer.strategy.root_device
        self.generator = own_generator(self.device, config["seed"])  # dropout draws from it
        self.checkpoints = HeldCheckpoints(self.generator)
        self.outcome: Config | None = None
        self.seconds = 0.0
        self.data.setup("fit")

    @property
    def saved(self) -> dict[str, Path]:
        """Return the checkpoints of the best and the last weights; see ``fit.saved_checkpoints``."""
        held = self.checkpoints.held
        return fit.saved_checkpoints(self.trainer, self.config, exists=lambda path: path.resolve() in held)

    def checkpoint(self, path: Path) -> Config:
        """Return the checkpoint of this path in the run's directory."""
        return self.checkpoints.held[(Path(self.trainer.default_root_dir) / path).resolve()]

    def begin(self) -> None:
        """Let Lightning build optimizer and schedulers by the task's own hook, and start the callbacks.

        The parameters are where they will be trained by now.

        Raises:
            ValueError: the task asks for what one batched step cannot do.
        """
        self.task.to(self.device)  # its metrics: the parameters are there
        strategy = self.trainer.strategy
        self.trainer.state.fn = TrainerFn.FITTING
        self.trainer._data_connector.attach_data(self.task, datamodule=self.data)  # noqa: SLF001
        strategy.connect(self.task)
        strategy.setup_optimizers(self.trainer)
        strategy.checkpoint_io = self.checkpoints
        if len(strategy.optimizers) != 1:
            raise ValueError("more than one optimizer, or none")
        self._stepped = self.trainer.fit_loop.epoch_loop.automatic_optimization.optim_progress.optimizer.step
        (self.optimizer,), self.schedules = strategy.optimizers, strategy.lr_scheduler_configs
        if any(s.frequency != 1 or (s.reduce_on_plateau and s.interval == "step") for s in self.schedules):
            raise ValueError("a scheduler that steps every so often, or a plateau within an epoch")
        self._call("setup", stage="fit")
        self._call("on_train_start")

    def hook(self, name: str, *arguments: Any) -> dict[str, Tensor]:
        """Call a hook of the task; return what it logs."""
        logged: dict[str, Tensor] = {}
        with collecting_logs(self.task, logged):
            getattr(self.task, name)(*arguments)
        return logged

    def begin_epoch(self, epoch: int) -> Batches:
        """Return the batches of this epoch, in the order of this member."""
        self.trainer.fit_loop.epoch_loop.scheduler_progress.reset_on_run()
        self._stepped.reset_on_run()
        self._call("on_train_epoch_start")
        batches: Batches = self.data.train_dataloader()
        batches.sampler.set_epoch(epoch - 1)
        return batches

    def step(self) -> None:
        """Update the parameters by their gradients."""
        self.optimizer.step()
        self._stepped.increment_by(1)  # ``global_step``
        self._schedule("step", plateau=False)

    def begin_fit(self, measured: Row, seconds: float) -> None:
        """Record the untrained net as epoch 0; from here on it is trained."""
        self.trainer.state.fn = TrainerFn.FITTING
        self.seconds += seconds
        fit.refuse_unlogged(self.config["metric"], measured)
        self.history.add(measured, epoch=0)

    def end_epoch(self, losses: Tensor, measured: Row, *, epoch: int, seconds: float) -> None:
        """Do what Lightning does at the end of an epoch: record it, save, decide whether to stop.

        The losses are those of the steps, as they were minimized; ``seconds`` are this member's share. Epochs
        are counted from 1.
        """
        self.seconds += seconds
        try:
            for step, loss in enumerate(losses.tolist(), start=1):
                check_loss(loss, epoch, step)
            self._schedule("epoch", plateau=False)
            self._count(len(losses))
            self.trainer.callback_metrics.update({k: torch.tensor(v) for k, v in measured.items()})
            self._call("on_validation_end")
            lr = self.optimizer.param_groups[0]["lr"]
            self.history.add(measured, epoch=epoch, lr=lr, seconds=seconds)
            check_row(self.history.rows)
        except DivergedError as error:
            self.outcome = {"status": "diverged", "error": fit.describe_error(error)}
            return
        self._call("on_train_epoch_end")
        self._schedule("epoch", plateau=True)
        self.trainer.fit_loop.epoch_progress.increment_completed()
        if self.trainer.should_stop or epoch == self.trainer.max_epochs:
            self._call("on_train_end")
            self.outcome = {"status": fit.status_of(self.trainer)}

    def _schedule(self, interval: str, *, plateau: bool) -> None:
        for schedule in self.schedules:
            if (schedule.interval, schedule.reduce_on_plateau) == (interval, plateau):
                metric = self.trainer.callback_metrics[str(schedule.monitor)] if plateau else None
                self.task.lr_scheduler_step(schedule.scheduler, metric)
                self.trainer.fit_loop.epoch_loop.scheduler_progress.increment_by(1)

    def _call(self, hook: str, **arguments: Any) -> None:
        for callback in self.trainer.callbacks:  # type: ignore[attr-defined]
            known = isinstance(callback, Checkpoint | EarlyStopping | Attributes)
            if known and callback is not self.history:
                getattr(callback, hook)(self.trainer, self.task, **arguments)

    def _count(self, steps: int) -> None:
        """Let the trainer's loops count as if they had run, so that a run can go on from the checkpoint."""
        fit, loop = self.trainer.fit_loop, self.trainer.fit_loop.epoch_loop
        evaluated = sum(len(self.data.whole(split)) for split in self.data.eval_splits)
        for progress in (loop.batch_progress, loop.automatic_optimization.optim_progress.optimizer.zero_grad):
            progress.reset_on_run()
            progress.increment_by(steps)
        loop.val_loop.batch_progress.reset()
        loop.val_loop.batch_progress.increment_by(evaluated, is_last_batch=True)
        loop.batch_progress.is_last_batch = True
        loop._batches_that_stepped += steps  # noqa: SLF001 - it has no other door
        for increment in ("increment_ready", "increment_started", "increment_processed"):
            getattr(fit.epoch_progress, increment)()
