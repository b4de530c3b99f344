"""The fit of many members: epochs, steps and evaluations, with one forward and backward pass for all."""

import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy

import torch
from torch import Tensor, nn

from fcnlab.task import EVAL_SPLITS
from overnight.data.batches import Batches, Samples
from overnight.stacked.batches import batches, cut
from overnight.stacked.member import Member
from overnight.stacked.modes import Evaluation, Training
from overnight.stacked.network import Network, State
from overnight.stacked.outcomes import Outcomes
from overnight.stacked.stack import Stack
from overnight.training.history import Row

BLOCK = 1000
"""Samples in a batch of an evaluation: what a processor's cache holds, whatever ``eval_batch_size``."""

Tell = Callable[[int, int], None]
"""Is told of the end of an epoch: its number, and how many members it trained."""


class Lockstep:
    """Trains members whose nets, losses, trainers and numbers of images are alike.

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
        share_images(members, self.device)
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
        trained = Outcomes(len(loaders), len(cuts), self.device)
        for images, labels in batches(loaders[0].images, cuts):
            trained.add(*self._step(images, labels), labels)
        rows = self._validate()
        for row, means in zip(rows, trained.means(), strict=True):
            row |= {f"train/{name}": value for name, value in means.items()}
        seconds = (time.perf_counter() - start) / len(self.members)
        for member, losses, row in zip(self.members, trained.steps(), rows, strict=True):
            member.end_epoch(losses, row, epoch=epoch, seconds=seconds)

    def _step(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Update every member by one batch; return the losses [members] and logits."""
        with self.precision():
            logits = self.network(self.stack.state, images, self.training)
            losses = self.loss(logits, labels)
        self.stack.forget_gradients()
        losses.sum().backward()
        self.stack.hand_out_gradients()
        for member in self.members:
            member.step()
        return losses, logits

    def _validate(self) -> list[Row]:
        loaders = [member.data.val_dataloader() for member in self.members]
        return self.evaluate(
            self.stack.state, dict(zip(EVAL_SPLITS, zip(*loaders, strict=True), strict=False))
        )

    @torch.no_grad()
    def evaluate(self, state: State, loaders: Mapping[str, Sequence[Batches]]) -> list[Row]:
        """Return the loss and accuracy of each member on each split."""
        rows: list[Row] = [{} for _ in next(iter(loaders.values()))]
        for split, of_members in loaders.items():
            cuts = cut(of_members, BLOCK)
            outcomes = Outcomes(len(rows), len(cuts), self.device)
            for images, labels in batches(of_members[0].images, cuts):
                with self.precision():
                    logits = self.network(state, images, Evaluation())
                    outcomes.add(self.eval_loss(logits, labels), logits, labels)
            for row, means in zip(rows, outcomes.means(), strict=True):
                row |= {f"{split}/{name}": value for name, value in means.items()}
        return rows


Losses = Callable[[Tensor, Tensor], Tensor]
"""Give each member's loss: of logits [members, batch, classes], and of labels [batch], the same for
all, or [members, batch]."""


def each(loss: nn.Module) -> Losses:
    """Return what applies a loss to each member by itself."""
    if isinstance(loss, nn.CrossEntropyLoss) and loss.reduction == "mean" and loss.weight is None:
        return image_by_image(loss)

    def losses(logits: Tensor, labels: Tensor) -> Tensor:
        result: Tensor = torch.vmap(loss, in_dims=(0, 0 if labels.ndim > 1 else None))(logits, labels)
        return result

    return losses


def image_by_image(loss: nn.CrossEntropyLoss) -> Losses:
    """Return the means over the images of all members' losses; vmap would take five times as long."""
    unreduced = copy(loss)
    unreduced.reduction = "none"

    def losses(logits: Tensor, labels: Tensor) -> Tensor:
        result: Tensor = unreduced(logits.transpose(1, 2), labels.expand(len(logits), -1)).mean(1)
        return result

    return losses


def share_images(members: Sequence[Member], device: torch.device) -> None:
    """Move the images of the first to the device, and let all have them."""
    first = members[0].data
    train, test = (Samples(*(t.to(device) for t in part)) for part in (first.official_train, first.test))
    for member in members:
        member.data.official_train, member.data.test = train, test
