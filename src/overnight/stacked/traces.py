"""Three steps and a validation of a run, in float64: the ordinary way, and together with others."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from overnight.data.batches import Samples
from overnight.data.splits import Split
from overnight.stacked.loop import StackedLoop
from overnight.stacked.member import Member
from overnight.stacked.stack import named_tensors
from overnight.stacked.steps import named_outputs
from overnight.training.generators import generator_states
from overnight.training.measure import build_measuring_trainer
from overnight.training.parts import build_task

Config = dict[str, Any]
Numbers = dict[str, Tensor]
Begun = tuple[Config, Path]  # the configuration of a run and its directory

VALIDATED, BLOCK = 700, 270
"""Samples of the validation, and in a stacked batch of it: what depends on batches is another number."""


Trace = tuple[list[Numbers], Numbers]
"""What three steps did, and the metrics of one validation; names tell what each number is."""


def ordinary(config: Config, directory: Path) -> Trace:
    """Let Lightning's own loop do three steps and a validation.

    Raises:
        ValueError: they draw from a global generator; all members would see the same numbers.
    """
    member = short_member(config, directory)
    trainer = build_measuring_trainer(member.config, log_every_n_steps=0)  # or it warns of few batches
    steps, before = noted(member), repr(generator_states())
    trainer.fit(member.task, datamodule=member.data)
    if repr(generator_states()) != before:
        raise ValueError("a step draws random numbers other than those of dropout")
    return steps, {name: value.detach() for name, value in trainer.callback_metrics.items()}


def stacked(runs: Sequence[Begun]) -> list[Trace]:
    """Do the same with all runs together and another one, and return what each did."""
    members = [short_member(*run) for run in (*runs, runs[0])]
    for member in members:
        refuse_redrawn(member)
    with torch.no_grad():  # what is mixed up between members shows
        for parameter in members[-1].task.parameters():
            parameter.mul_(1.1)
    loop = StackedLoop(members)
    loop.block = min(loop.block, BLOCK)
    steps = [noted(member) for member in members]
    _, rows = loop.epoch(1)
    metrics = [{name: torch.tensor(value) for name, value in row.items()} for row in rows]
    return [*zip(steps, metrics, strict=True)][:-1]


def noted(member: Member) -> list[Numbers]:
    """Return a list that will hold what is there after each step: loss, gradients, weights, moments."""
    steps: list[Numbers] = []
    task, told = member.task, member.task.on_train_batch_end

    def note(outputs: Any, *rest: Any) -> None:
        loss = {"loss": named_outputs(outputs)["loss"].detach().clone()}
        steps.append(state(task, task.trainer.optimizers[0]) | gradients(task) | loss)
        told(outputs, *rest)

    task.on_train_batch_end = note
    return steps


def refuse_redrawn(member: Member) -> None:
    """Refuse buffers that no checkpoint keeps and that are drawn anew at each building (ValueError)."""
    again = dict(build_task(member.history.config).named_buffers()) if member.unsaved else {}
    for name, buffer in member.unsaved.items():
        if not torch.equal(buffer, again[name]):
            raise ValueError(f"task.{name} is drawn at each building, and in no checkpoint")


def short_member(config: Config, directory: Path) -> Member:
    """Build a member that drops nothing and computes in float64, with three batches to train on.

    An epoch is its first two batches and its last one, which may be short; a validation is one over
    ``VALIDATED`` samples.
    """
    trainer = config["trainer"] | {"max_epochs": 1, "precision": "32-true"}  # which changes no type
    member = Member(config | {"callbacks": {}, "trainer": trainer}, directory)
    drop_nothing(member.task)
    data, order = member.data, member.data.train_dataloader().sampler.positions()
    last = len(order) % data.batch_size or data.batch_size
    few = torch.cat([order[: 2 * data.batch_size], order[2 * data.batch_size :][-last:]])
    used = [tensor[torch.cat([few, data.split.val[:VALIDATED]])] for tensor in data.official_train]
    precise = (tensor.double() if tensor.is_floating_point() else tensor for tensor in used)
    data.official_train, data.track_test, data.shuffle = Samples(*precise), False, False
    places = torch.arange(len(used[0]))
    data.split = Split(places[: len(few)], places[len(few) :])
    member.task.double()
    return member


def drop_nothing(module: nn.Module) -> None:
    """Set every probability of dropout to 0."""
    for layer in module.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0


def state(module: nn.Module, optimizer: Any) -> Numbers:
    """Return copies of all parameters, buffers, moments and learning rates."""
    tensors = {name: tensor.detach().clone() for name, tensor in named_tensors(module).items()}
    names = {id(parameter): name for name, parameter in module.named_parameters()}
    moments = {
        f"{key} of {names[id(parameter)]}": torch.as_tensor(value).clone()
        for parameter, values in optimizer.state.items()
        for key, value in values.items()
        if isinstance(value, Tensor | int | float)
    }
    rates = {f"lr of group {n}": torch.tensor(group["lr"]) for n, group in enumerate(optimizer.param_groups)}
    return tensors | moments | rates


def gradients(module: nn.Module) -> Numbers:
    """Return copies of the gradients that there are."""
    named = ((name, parameter.grad) for name, parameter in module.named_parameters())
    return {f"gradient of {name}": gradient.clone() for name, gradient in named if gradient is not None}
