"""The check of stacked training while it goes on: the first step of each pass, as members' own tasks do it.

The steps of all members are made by a copy of the first one's task. What a hook has changed in a task by
then, and what each has of its own, such as the learning rate that it logs, shows here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy

import lightning as L
from torch import Tensor, nn

from overnight.data.batches import Samples
from overnight.stacked.batches import Drawn
from overnight.stacked.loop import StackedLoop
from overnight.stacked.member import Member
from overnight.stacked.proof import compare
from overnight.stacked.stack import State, load
from overnight.stacked.steps import Steps, call_step
from overnight.stacked.traces import drop_nothing, gradients
from overnight.training.plain import OF_MODULES, tensors_in

MEMBERS, SAMPLES = 3, 32
"""How many are looked at: of more members all in the first epoch and the last, and else so many in turn."""
DOUBLE = 1e-6
"""How far a number may be from the task's own, as a share of its tensor's largest element, in float64."""
FP32, BF16 = (1e-5, 1e-3), (2e-2, 0.2)
"""The same of a loss and of gradients in the run's own precision."""
SMALL, SMALL_LOSS = 1e-3, 0.1
"""What counts as nothing among gradients; and as the least loss: where all is learned, rounding is 1e-8."""


def check(
    loop: StackedLoop, members: Sequence[Member], state: State, step: str, drawn: Drawn, *rest: int
) -> None:
    """Compare a step of all members with those of their own tasks, on copies (ValueError if they differ).

    The steps of the loop are in the mode of the pass; ``rest`` is what the step takes after the batch.
    """
    trainer = members[0].trainer
    at_an_end = trainer.current_epoch + 1 in {1, trainer.max_epochs}
    if step == "training_step" and at_an_end:
        check_kernels(loop, drawn)
    each = [*range(len(members))]
    parts = [each[start : start + MEMBERS] for start in each[::MEMBERS]]
    for places in parts if at_an_end else [parts[trainer.current_epoch % len(parts)]]:
        few = Samples(*(double(t[places][:, :SAMPLES] if drawn.own else t[:SAMPLES]) for t in drawn.samples))
        some = {n: double(t.detach()[places]).requires_grad_(t.requires_grad) for n, t in state.items()}
        tasks = [own_task(members[place], training=loop.steps.training) for place in places]
        if state is not loop.stack.state:  # weights of a checkpoint
            load(tasks, some)
        compare_with_all(tasks, loop.steps, some, step, Drawn(few, drawn.own), *rest)


def compare_with_all(
    tasks: Sequence[L.LightningModule], steps: Steps, state: State, step: str, drawn: Drawn, *rest: int
) -> None:
    """Compare what a step returns and logs, its gradients, and the rates of dropout, with nothing dropped."""
    with undropped(steps) as rates:
        together = steps.call(state, step, drawn, *rest)
    if steps.training:
        together["loss"].sum().backward()
    slopes = {f"gradient of {n}": t.grad for n, t in state.items() if t.grad is not None}
    for row, task in enumerate(tasks):
        with undropped(task) as own_rates:
            alone = call_step(task, step, drawn.of(row), *rest)
        if steps.training:
            alone["loss"].backward()
        when = f"in {step} of epoch {task.current_epoch + 1}, "
        for ours, theirs in ((alone, together), (gradients(task), slopes)):
            compare(ours, {name: of_all[row] for name, of_all in theirs.items()}, DOUBLE, when, SMALL)
        if own_rates != rates:
            raise ValueError(f"{when}the rate of dropout is not what the ordinary way gives")


def own_task(member: Member, *, training: bool) -> L.LightningModule:
    """Return a copy of a member's task in float64; layers that it has in evaluation mode stay so."""
    own = (value for name, value in vars(member.task).items() if name not in OF_MODULES)
    held = (value for value in own if isinstance(value, list | dict) and [*tensors_in(value)])
    seen = {id(value): value for value in held}  # of an epoch, and large
    task: L.LightningModule = deepcopy(member.task, seen)
    task.trainer = member.trainer  # a copy has none
    return task.double() if training else task.double().eval()


def double(tensor: Tensor) -> Tensor:
    """Return floating-point numbers in float64, others as they are."""
    return tensor.double() if tensor.is_floating_point() else tensor


@contextmanager
def undropped(module: nn.Module) -> Iterator[list[float]]:
    """Set every probability of dropout to 0 for a while; give what they are otherwise."""
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Dropout)]
    rates = [layer.p for layer in layers]
    drop_nothing(module)
    try:
        yield rates
    finally:
        for layer, rate in zip(layers, rates, strict=True):
            layer.p = rate


def check_kernels(loop: StackedLoop, drawn: Drawn) -> None:
    """Compare a training step in the run's own precision with the first member's own (ValueError)."""
    alone, steps, copied = loop.rehearsal([])
    drop_nothing(alone)
    drop_nothing(steps)
    with loop.precision():
        own = call_step(alone, "training_step", drawn.of(0), 0)["loss"]
        together = steps.call(copied, "training_step", drawn, 0)["loss"]
    own.backward()
    together.sum().backward()
    halved = loop.members[0].trainer.precision == "bf16-mixed"
    of_loss, of_gradients = BF16 if halved else FP32
    when = "in the run's own precision, "
    compare({"loss": own.detach()}, {"loss": together[0].detach()}, of_loss, when, SMALL_LOSS)
    stacked = {f"gradient of {n}": t.grad[0] for n, t in copied.items() if t.grad is not None}
    compare(gradients(alone), stacked, of_gradients, when, SMALL)
