"""The best and the last weights of many members, measured on whole splits."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import torch
from lightning.pytorch.trainer.states import TrainerFn

from overnight.stacked.loop import StackedLoop
from overnight.stacked.member import Member
from overnight.stacked.stack import State, named_tensors
from overnight.training.measure import of_test
from overnight.training.results import Measured
from overnight.training.rows import Row


def measure(loop: StackedLoop, members: Sequence[Member]) -> list[dict[Path, Measured]]:
    """Return for each member what its checkpoints reach; one that is best and last is measured once.

    As in an evaluation, the task is told of epoch 0 and step 0.
    """
    for member in members:
        member.trainer.fit_loop.epoch_progress.reset()
        member.trainer.fit_loop.epoch_loop.automatic_optimization.optim_progress.reset()
    found: list[dict[Path, Measured]] = [{} for _ in members]
    known: dict[tuple[int, int], Measured] = {}
    for name in ("best", "last"):
        paths = {n: member.saved[name] for n, member in enumerate(members) if name in member.saved}
        saved = {n: members[n].checkpoint(path) for n, path in paths.items()}
        epochs = {n: int(checkpoint["history"][-1]["epoch"]) for n, checkpoint in saved.items()}
        new = [n for n, epoch in epochs.items() if (n, epoch) not in known]
        rows = evaluate(loop, {n: (members[n], saved[n]["state_dict"]) for n in new})
        known |= {(n, epochs[n]): Measured(epochs[n], row) for n, row in rows.items()}
        for n, path in paths.items():
            found[n][path] = known[n, epochs[n]]
    return found


def evaluate(loop: StackedLoop, weights: dict[int, tuple[Member, State]]) -> dict[int, Row]:
    """Return every metric of these weights on every split, of a task as it was built but for them."""
    if not weights:
        return {}
    owners = [member for member, _ in weights.values()]
    loop.build_steps(owners)
    whole = [member.unsaved | saved for member, saved in weights.values()]  # as built, where none is saved
    names = named_tensors(loop.prototype)
    state = {name: torch.stack([each[name].to(loop.device) for each in whole]) for name in names}
    with ExitStack() as everywhere:
        for member in owners:
            member.trainer.state.fn = TrainerFn.VALIDATING
            everywhere.enter_context(member.data.evaluating("val", "train"))
        rows = loop.evaluate(state, owners, "validation", ("val", "train"))
    tests = loop.evaluate(state, owners, "test", ("test",))
    return {number: of_test(test, row) | row for number, row, test in zip(weights, rows, tests, strict=True)}
