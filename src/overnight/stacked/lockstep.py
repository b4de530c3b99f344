"""The fit of many members: epochs, steps and evaluations, with one forward and backward pass for all."""

import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any

import torch
from torch import Tensor, nn

from overnight.data.batches import Batches, Samples
from overnight.stacked.batches import batches, cut
from overnight.stacked.member import Member
from overnight.stacked.modes import Evaluation, Training
from overnight.stacked.network import Network, State, check_chain
from overnight.stacked.outcomes import Outcomes
from overnight.stacked.stack import Stack
from overnight.training.rows import Row

BLOCK = 1000
"""Samples in a batch of an evaluation: what a processor's cache holds, whatever ``eval_batch_size``."""

Tell = Callable[[int, int], None]
"""Is told of the end of an epoch: its number, and how many members it trained."""


class Lockstep:
    """Trains members whose nets, losses, trainers and numbers of samples are alike.

    Those that end, early or badly, are taken out after the epoch; the others do not notice.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        first = members[0]
        self.members = list(members)
        self.network = Network(first.task.net)
        self.loss, self.eval_loss = each(first.task.loss), each(first.task.eval_loss)
        self.precision = first.trainer.precision_plugin.forward_context
        self.device = first.device
        self.batch_size = first.data.batch_size
        share_samples(members, self.device)
        check_chain(first.task.net, next(iter(first.data.train_dataloader())).features)
        self._stack()
        for member in members:
            member.begin(len(first.data.train_dataloader()))

    def fit(self, tell: Tell) -> None:
        """Train every member to its end."""
        start = time.perf_counter()
        rows = self._validate()
        seconds = (time.perf_counter() - start) / len(self.members)
        for member, row in zip(self.members, rows, strict=True):
            member.begin_fit(row, seconds)
        epoch = 0
        while self._take_out_ended():
            epoch += 1
            self._epoch(epoch)
            tell(epoch, len(self.members))

    def _take_out_ended(self) -> bool:
        going_on = [member for member in self.members if not member.outcome]
        if len(going_on) < len(self.members):
            self.members = going_on
            if going_on:
                self._stack()
        return bool(going_on)

    def _stack(self) -> None:
        self.stack = Stack([member.task.net for member in self.members], self.device)
        self.training = Training([member.generator for member in self.members])

    def _epoch(self, epoch: int) -> None:
        start = time.perf_counter()
        loaders = [member.begin_epoch(epoch) for member in self.members]
        cuts = cut(loaders, self.batch_size)
        trained = Outcomes(len(loaders), sizes(cuts), self.device)
        for samples, targets in batches(loaders[0].samples, cuts):
            trained.add(*self._step(samples, targets), targets)
        rows = self._validate()
        for row, measured in zip(rows, trained.measured(self.tasks), strict=True):
            row |= {f"train/{name}": value for name, value in measured.items()}
        seconds = (time.perf_counter() - start) / len(self.members)
        for member, losses, row in zip(self.members, trained.steps(), rows, strict=True):
            member.end_epoch(losses, row, epoch=epoch, seconds=seconds)

    def _step(self, samples: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Update every member by one batch; return the losses [members] and outputs."""
        with self.precision():
            outputs = self.network(self.stack.state, samples, self.training)
            losses = self.loss(outputs, targets)
        self.stack.forget_gradients()
        losses.sum().backward()
        self.stack.hand_out_gradients()
        for member in self.members:
            member.step()
        return losses, outputs

    def _validate(self) -> list[Row]:
        loaders = {
            split: [member.data.whole(split) for member in self.members] for split in self.members[0].splits
        }
        return self.evaluate(self.stack.state, self.tasks, loaders)

    @property
    def tasks(self) -> list[Any]:
        """The members' tasks."""
        return [member.task for member in self.members]

    @torch.no_grad()
    def evaluate(
        self, state: State, tasks: Sequence[Any], loaders: Mapping[str, Sequence[Batches]]
    ) -> list[Row]:
        """Return what each task measures on each split with its part of the state."""
        rows: list[Row] = [{} for _ in tasks]
        for split, of_members in loaders.items():
            cuts = cut(of_members, BLOCK)
            outcomes = Outcomes(len(rows), sizes(cuts), self.device)
            for samples, targets in batches(of_members[0].samples, cuts):
                with self.precision():
                    outputs = self.network(state, samples, Evaluation())
                    outcomes.add(self.eval_loss(outputs, targets), outputs, targets)
            for row, measured in zip(rows, outcomes.measured(tasks), strict=True):
                row |= {f"{split}/{name}": value for name, value in measured.items()}
        return rows


Losses = Callable[[Tensor, Tensor], Tensor]
"""Give each member's loss: of outputs [members, batch, ...], and of targets [batch], the same for all, or
[members, batch]."""


def sizes(cuts: Sequence[Tensor]) -> list[int]:
    """Return the number of samples in each batch."""
    return [positions.shape[-1] for positions in cuts]


def each(loss: nn.Module) -> Losses:
    """Return what applies a loss to each member by itself."""
    if isinstance(loss, nn.CrossEntropyLoss) and loss.reduction == "mean" and loss.weight is None:
        return sample_by_sample(loss)

    def losses(outputs: Tensor, targets: Tensor) -> Tensor:
        result: Tensor = torch.vmap(loss, in_dims=(0, 0 if targets.ndim > 1 else None))(outputs, targets)
        return result

    return losses


def sample_by_sample(loss: nn.CrossEntropyLoss) -> Losses:
    """Return the means over the samples of all members' losses; vmap would take five times as long."""
    unreduced = copy(loss)
    unreduced.reduction = "none"

    def losses(outputs: Tensor, targets: Tensor) -> Tensor:
        result: Tensor = unreduced(outputs.transpose(1, 2), targets.expand(len(outputs), -1)).mean(1)
        return result

    return losses


def share_samples(members: Sequence[Member], device: torch.device) -> None:
    """Move the samples of the first to the device, and let all have them."""
    first = members[0].data
    train, test = (Samples(*(t.to(device) for t in part)) for part in (first.official_train, first.test))
    for member in members:
        member.data.official_train, member.data.test = train, test
