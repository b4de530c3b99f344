"""The fit of many members: epochs, steps and evaluations, with one forward and backward pass for all."""

import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

import torch
from lightning.pytorch.trainer.states import TrainerFn
from torch import Generator, Tensor

from overnight.data.batches import Samples
from overnight.stacked.batches import Drawn, cut, draw, share
from overnight.stacked.gates import constants, own_constants, standing
from overnight.stacked.member import Member
from overnight.stacked.stack import Stack, State, load
from overnight.stacked.steps import Kept, Outputs, Steps
from overnight.training.rows import Row, plain_metrics

BLOCK, FEW = 1000, 250
"""Samples in a batch of an evaluation, whatever ``eval_batch_size``: what a processor's cache holds.

The second where weights have three axes or more, as convolutions do, and a sample's activations are large.
Five CNN take twice as long with the first one, five ``fcn`` 0.87 times as long.
"""

Tell = Callable[[int, int], None]
"""Is told of the end of an epoch: its number, and how many members it trained."""


CHANGES = "a hook changes attributes of the task within an epoch"

Check = Callable[..., None]
"""Looks at the first step of each pass before it is made; see ``overnight.stacked.check``."""


class StackedLoop:
    """Trains members whose tasks, trainers and numbers of samples are alike.

    Those that end, early or badly, are taken out after the epoch; the others do not notice.

    Args:
        members: of one kind.
        check: raises ValueError if a step is not what a member's own task does.
    """

    def __init__(self, members: Sequence[Member], check: Check = lambda *_: None) -> None:
        first = members[0]
        self.members, self.check = list(members), check
        self.precision = first.trainer.precision_plugin.forward_context
        self.device = first.device
        self.batch_size = first.data.batch_size
        convolves = any(weights.ndim > 2 for weights in first.task.parameters())  # noqa: PLR2004 - as dense ones
        self.block = FEW if convolves else BLOCK
        share_samples(members, self.device)
        self.prototype = deepcopy(first.task)  # before it has a trainer, to copy too
        self._stack()
        for member in members:
            member.begin()

    def fit(self, tell: Tell) -> None:
        """Train every member to its end; what the check finds wrong is a ValueError."""
        start = time.perf_counter()
        for member in self.members:
            member.trainer.state.fn = TrainerFn.VALIDATING  # until ``begin_fit``
        rows = self.validate()
        seconds = (time.perf_counter() - start) / len(self.members)
        for member, row in zip(self.members, rows, strict=True):
            member.begin_fit(row, seconds)
        epoch = 0
        while self._take_out_ended():
            epoch += 1
            start = time.perf_counter()
            losses, rows = self.epoch(epoch)
            seconds = (time.perf_counter() - start) / len(self.members)
            for member, own, row in zip(self.members, losses, rows, strict=True):
                member.end_epoch(own, row, epoch=epoch, seconds=seconds)
            tell(epoch, len(self.members))

    def rehearsal(self, generators: Sequence[Generator]) -> tuple[Any, Steps, State]:
        """Return copies to try things on, in train mode: the first task, the steps and the state of all."""
        state = {n: t.detach().clone().requires_grad_(t.requires_grad) for n, t in self.stack.state.items()}
        alone, steps = deepcopy(self.prototype).to(self.device), Steps(self.prototype, generators)
        load([alone], state)
        alone.trainer = steps.task.trainer = self.members[0].trainer
        return alone.train(), steps.train(), state

    def _take_out_ended(self) -> bool:
        going_on = [member for member in self.members if not member.outcome]
        if len(going_on) < len(self.members):
            self.members = going_on
            if going_on:
                self._stack()
        return bool(going_on)

    def _stack(self) -> None:
        self.stack = Stack([member.task for member in self.members], self.device)
        self.build_steps(self.members)

    def build_steps(self, members: Sequence[Member]) -> None:
        """Let the steps be those of a task as it was built."""
        self.steps = Steps(self.prototype, [member.generator for member in members])
        self.steps.task.trainer = members[0].trainer
        self.begun = constants(self.steps.task)

    def epoch(self, epoch: int) -> tuple[Tensor, list[Row]]:
        """Train and validate every member; return the losses [members, steps], and what each task logged.

        Raises:
            ValueError: the check finds something; training and validation log under one name; or a step
                changes attributes, which the members' own tasks and their hooks would not see.
        """
        cuts = cut([member.begin_epoch(epoch) for member in self.members], self.batch_size)
        losses, kept = self._train(cuts)
        rows = self.validate()
        if constants(self.steps.task) != self.begun:
            raise ValueError("a step changes attributes of the task")
        logged = [member.hook("on_train_epoch_end") for member in self.members]
        of_steps = kept.logged() or logged
        trained = [plain_metrics(steps | hook) for steps, hook in zip(of_steps, logged, strict=True)]
        if both := rows[0].keys() & trained[0].keys():
            raise ValueError(f"training and validation both log {', '.join(both)}")
        return losses, [row | of_train for row, of_train in zip(rows, trained, strict=True)]

    def _train(self, cuts: Sequence[Tensor]) -> tuple[Tensor, Kept]:
        """Go through one epoch; return the losses [members, steps], and what the steps returned."""
        kept = Kept([positions.shape[-1] for positions in cuts])
        losses = torch.zeros(len(cuts), len(self.members), device=self.device)
        for member in self.members:
            member.hook("on_train_epoch_start")
        self.steps.train()
        tasks = [member.task for member in self.members]
        before, own = [*map(standing, tasks)], [*map(own_constants, tasks)]
        for number, drawn in enumerate(draw(self.samples("train"), cuts)):
            if number == 0:
                self.check(self, self.members, self.stack.state, "training_step", drawn, 0)
            outputs = self.step(drawn, number)
            losses[number] = outputs["loss"].detach()
            tell(self.members, "on_train_batch_end", kept.keep(outputs), drawn, number)
            if [*map(own_constants, tasks)] != own:
                raise ValueError(CHANGES)
        for task, begun in zip(tasks, before, strict=True):
            now = standing(task)
            if any(begun[name] != now[name] for name in begun.keys() & now.keys()):
                raise ValueError(CHANGES)
        return losses.t().double().cpu(), kept

    def step(self, drawn: Drawn, number: int) -> Outputs:
        """Update every member by one batch; return what the steps return."""
        with self.precision():
            outputs = self.steps.call(self.stack.state, "training_step", drawn, number)
        self.stack.forget_gradients()
        outputs["loss"].sum().backward()
        self.stack.hand_out_gradients()
        for member in self.members:
            member.step()
        return outputs

    def samples(self, split: str, members: Sequence[Member] = ()) -> list[Samples]:
        """Return the samples that positions of this split are positions in, for each member."""
        return [member.data.whole(split).samples for member in members or self.members]

    def validate(self) -> list[Row]:
        """Return what each member's task logs in a validation, as after an epoch."""
        return self.evaluate(self.stack.state, self.members, "validation", self.members[0].data.eval_splits)

    @torch.no_grad()
    def evaluate(
        self, state: State, members: Sequence[Member], kind: str, splits: Sequence[str]
    ) -> list[Row]:
        """Return what each member's task logs in one pass over these splits, in steps of a kind."""
        self.steps.eval()
        logged: list[dict[str, Tensor]] = [member.hook(f"on_{kind}_epoch_start") for member in members]
        for place, split in enumerate(splits):
            index = (place,) if len(splits) > 1 else ()
            cuts = cut([member.data.whole(split) for member in members], self.block)
            kept = Kept([positions.shape[-1] for positions in cuts])
            for number, drawn in enumerate(draw(self.samples(split, members), cuts)):
                arguments = (number, *index)
                if number == 0:
                    self.check(self, members, state, f"{kind}_step", drawn, *arguments)
                with self.precision():
                    outputs = self.steps.call(state, f"{kind}_step", drawn, *arguments)
                tell(members, f"on_{kind}_batch_end", kept.keep(outputs), drawn, *arguments)
            logged = [known | new for known, new in zip(logged, kept.logged() or logged, strict=True)]
        ends = [member.hook(f"on_{kind}_epoch_end") for member in members]
        return [plain_metrics(known | new) for known, new in zip(logged, ends, strict=True)]


def tell(members: Sequence[Member], hook: str, outputs: Outputs, drawn: Drawn, *arguments: int) -> None:
    """Call a hook of each member's task with its part of a batch."""
    for position, member in enumerate(members):
        own = {name: value[position] for name, value in outputs.items()}
        getattr(member.task, hook)(own, drawn.of(position), *arguments)


def share_samples(members: Sequence[Member], device: torch.device) -> None:
    """Move the samples to the device, and let members whose samples are equal have the same ones."""
    for part in ("official_train", "test"):
        shared = share([getattr(member.data, part) for member in members])
        moved = {id(own): Samples(*(tensor.to(device) for tensor in own)) for own in shared}
        for member, own in zip(members, shared, strict=True):
            setattr(member.data, part, moved[id(own)])
