"""The task's own steps, for all members at once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import lightning as L
import torch
from torch import Generator, Tensor, nn

from overnight.data.batches import Samples
from overnight.stacked.batches import Drawn
from overnight.stacked.layers import exchange_layers
from overnight.stacked.stack import State
from overnight.stacked.vmap import Level

Outputs = dict[str, Tensor]  # what a step returns for all members: [members, ...] each


class Steps(nn.Module):
    """Calls a step of a task as a function of its parameters and buffers, for many members in one go.

    Nothing of the step is written again: it is the task's own, on a copy whose layers are exchanged and whose
    parameters and buffers stand for those of all members.

    Args:
        task: of one of the members; is not changed.
        generators: of the members, for dropout.
    """

    def __init__(self, task: L.LightningModule, generators: Sequence[Generator]) -> None:
        super().__init__()
        self.task = deepcopy(task)
        self.held: State | None = None
        exchange_layers(self.task, generators)

    def call(self, state: State, step: str, drawn: Drawn, *arguments: Any) -> Outputs:
        """Return what a step gives and logs for all members with this state of ``Stack``.

        ``step`` is the name of the method; ``arguments`` are what it takes after the batch.
        """
        with Level(len(next(iter(state.values())))) as level:
            if state is not self.held:
                level.hold(self.task, state)
                self.held = state
            batch = Samples(*map(level.batched, drawn.samples)) if drawn.own else drawn.samples
            outputs = call_step(self.task, step, batch, *arguments)
            return {name: level.unbatched(value) for name, value in outputs.items()}


LOGGED = "logged "  # before the names of what a step logged, among its outputs


def call_step(task: L.LightningModule, step: str, batch: Samples, *arguments: Any) -> Outputs:
    """Return what a step of a task returns and logs; ``arguments`` are what it takes after the batch."""
    logged: Outputs = {}
    with collecting_logs(task, logged, step):
        returned = named_outputs(getattr(task, step)(batch, *arguments))
    return returned | {f"{LOGGED}{name}": value for name, value in logged.items()}


def named_outputs(returned: Any) -> Outputs:
    """Return what a step may return, a loss or a dict or nothing, as a dict of tensors."""
    if isinstance(returned, Tensor):
        return {"loss": returned}
    items = returned.items() if isinstance(returned, Mapping) else ()
    return {name: value for name, value in items if isinstance(value, Tensor)}


@contextmanager
def collecting_logs(task: L.LightningModule, logged: Outputs, step: str | None = None) -> Iterator[None]:
    """Let ``self.log`` of a task, which ``log_dict`` calls, write into a dict and not to a Trainer.

    Args:
        task: whose method is replaced.
        logged: takes the values; in a step under ``mean NAME`` or ``last NAME``, as it is to be reduced.
        step: "training_step" or another step; None where a hook logs what is final.

    Raises:
        ValueError: in a step, a value is logged in a way that is not known here.
    """

    def log(name: str, value: Any, *_: Any, on_step: Any = None, on_epoch: Any = None, **__: Any) -> None:
        if step:
            by_epoch = step != "training_step" if on_epoch is None else on_epoch
            if (by_epoch and on_step) or hasattr(value, "compute"):
                raise ValueError(f"{step} logs {name} by step and by epoch, or as a torchmetrics object")
            name = f"{'mean' if by_epoch else 'last'} {name}"
        value = value.compute() if hasattr(value, "compute") else value
        logged[name] = value if isinstance(value, Tensor) else torch.tensor(float(value))

    vars(task)["log"] = log  # to set it as an attribute, nn.Module looks for long
    try:
        yield
    finally:
        del vars(task)["log"]


class Kept:
    """The outputs of all steps of a pass, in room that is there from the start.

    A small tensor kept from every step would lie between the large ones that are freed, and the next step's
    would no longer fit there: memory grows by gigabytes.

    Args:
        sizes: samples in each batch that will come.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        self.sizes, self.step, self.samples = sizes, 0, 0
        self.room: Outputs = {}

    def keep(self, outputs: Outputs) -> Outputs:
        """Copy the outputs of the next step; return the copies."""
        size = self.sizes[self.step]
        kept = {name: self._place(name, value.detach(), size) for name, value in outputs.items()}
        self.step, self.samples = self.step + 1, self.samples + size
        return kept

    def _place(self, name: str, value: Tensor, size: int) -> Tensor:
        of_samples = value.ndim > 1 and value.shape[1] == size
        rest = value.shape[2:] if of_samples else value.shape[1:]
        if name not in self.room:
            length = sum(self.sizes) if of_samples else len(self.sizes)
            self.room[name] = value.new_empty(len(value), length, *rest)
        room = self.room[name]
        place = room[:, self.samples : self.samples + size] if of_samples else room[:, self.step]
        return place.copy_(value)

    def logged(self) -> list[dict[str, Tensor]]:
        """Return what the steps themselves logged, reduced over the pass, for each member."""
        weights = torch.tensor(self.sizes, dtype=torch.float64) / sum(self.sizes)
        rows: list[dict[str, Tensor]] = []
        for name, room in self.room.items():
            rows = rows or [{} for _ in room]
            if name.startswith(LOGGED):
                way, _, metric = name.removeprefix(LOGGED).partition(" ")
                reduced = room.double().cpu() @ weights if way == "mean" else room[:, -1].double().cpu()
                for row, value in zip(rows, reduced, strict=True):
                    row[metric] = value.float()
        return rows
