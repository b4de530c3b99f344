"""Forks of the research under stacked training: each is what it is by itself, or steps aside and says why."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from commands import every
from experiments import SMALL, Prepare
from overnight.stacked.check import check
from overnight.stacked.gates import obstacles
from overnight.stacked.judging import why_alone
from overnight.stacked.loop import StackedLoop
from overnight.stacked.measurement import measure
from overnight.stacked.member import Member
from overnight.stacked.proof import differences, prove

AGREES = {
    "edited forward": "model._target_=forks.EditedForward",
    "residual": "model._target_=forks.Residual",
    "two convolutions": "model._target_=forks.Convolutional",
    "frozen first layer": "model._target_=forks.Frozen",
    "training_step": "task._target_=forked_tasks.HalfLoss",
    "a weight that grows with the epoch": "task._target_=forked_tasks.Growing",
    "a weight that grows with the step": "task._target_=forked_tasks.ByStep",
    "what is never equal to its copy": "task._target_=forked_tasks.Keeping",
    "a temperature, in a group of its own": "task._target_=forked_tasks.Temperature",
    "validation_step": "task._target_=forked_tasks.OtherValidation",
    "a step that logs": "task._target_=forked_tasks.Logging",
    "lr_scheduler_step": "task._target_=forked_tasks.OwnSchedulerStep scheduler=step",
    "a metric that is no mean": "metrics=f1",
    "layer norm": "regularization=layer_norm",
    "another loss": "loss=mse l1=1e-3",
    "noise by counters": "task._target_=forked_tasks.CountedNoise",
}

ASIDE = {
    "optimizer_step": ("task._target_=forked_tasks.OwnOptimizerStep", "task.optimizer_step is overridden"),
    "manual optimization": ("task._target_=forked_tasks.Manual", "manual optimization"),
    "a hook on the instance": (
        "task._target_=forked_tasks.OnInstance",
        "task.training_step is set on the instance",
    ),
    "noise": ("model._target_=forks.Noisy", "random"),
    "a tensor that nobody saves": (
        "model._target_=forks.Fourier",
        "task.net: signs is not in the state_dict",
    ),
    "an unsaved buffer": ("model._target_=forks.Unkept", "task.net.signs is drawn at each building"),
    "another dropout": ("model._target_=forks.AlphaDropped", "random"),
    "spectral norm": ("model._target_=forks.Spectral", "hooks or parametrizations of task.net.output"),
    "tied weights": ("model._target_=forks.Tied model.hidden_sizes=[784,784]", "tied parameters"),
    "a data hook": ("data._target_=forks.Blank", "data.on_after_batch_transfer is overridden"),
    "other batches": ("data._target_=forks.Backwards", "data.train_dataloader gives a Reversed"),
    "an unfreezing callback": ("+callbacks.x={_target_:forks.Unfreeze}", "callbacks.x"),
    "a callback at each batch": ("+callbacks.x={_target_:forks.ByBatch}", "callbacks.x"),
    "a metric of batches": (
        "task._target_=forked_tasks.RootOfMean data.train_size=1200 data.val_size=600",
        "val/root_0 is not what the ordinary",
    ),
    "accumulation": ("+trainer.accumulate_grad_batches=4", "trainer.accumulate_grad_batches"),
    "clipping": ("+trainer.gradient_clip_val=0.1", "trainer.gradient_clip_val"),
}


@pytest.mark.parametrize("fork", every(4, AGREES))
def test_what_can_be_stacked_is_what_it_is_by_itself(fork: str, configured: Any, prepare: Prepare) -> None:
    runs = [(*AGREES[fork].split(), "trainer.max_epochs=2", lr) for lr in ("lr=0.05", "lr=0.1")]
    members = []
    for typed in runs:
        config, directory = configured(*typed)
        assert why_alone(config) == ""
        members.append(Member(config, directory))
        assert list(obstacles(members[-1])) == []
    prove([(config, directory)])
    StackedLoop(members, check).fit(lambda epoch, count: None)
    for member, typed in zip(members, runs, strict=True):
        alone = prepare(*SMALL, *typed)
        alone.fit()
        for ours, theirs in zip(member.history.rows, alone.history.rows, strict=True):
            assert ours.keys() == theirs.keys()
            for name, value in theirs.items():
                if name != "seconds":
                    expected = value if value is None else pytest.approx(value, rel=1e-4, abs=1e-5)
                    assert ours[name] == expected, name


UNSEEN = {
    "unseen_tasks.GrowingByHook": "in training_step of epoch 2, loss",
    "unseen_tasks.GrowingByObject": "in training_step of epoch 2, loss",
    "unseen_tasks.LaterDropout": "in training_step of epoch 2, the rate of dropout",
    "unseen_tasks.LaterFrozen": "in training_step of epoch 2, gradient",
    "unseen_tasks.Halved": "in training_step of epoch 2, logits",
    "unseen_tasks.Sharpened": "in validation_step of epoch 2, logits",
    "unseen_tasks.LaterEvaluated regularization=batch_norm": "in training_step of epoch 2, logits",
    "unseen_tasks.SampleCount": "a step changes attributes",
    "unseen_tasks.Phased": "a step changes attributes",
    "unseen_tasks.Averaging": "a step changes attributes",
    "unseen_tasks.LateInEpoch": "a hook changes attributes of the task within an epoch",
    "unseen_tasks.SmoothedLate": "a hook changes attributes of the task within an epoch",
    "unseen_tasks.LogsRate": "in training_step of epoch 1, logged mean lr",
    "unseen_tasks.WeighedByMetric": "in training_step of epoch 2, loss",
    "unseen_tasks.OwnNumbers": "in training_step of epoch 1, loss",
    "unseen_tasks.OwnTest": "in test_step of epoch 1, plain_loss",
    "forked_tasks.HalfLoss model._target_=forks.Counting": "is not what the ordinary way gives",
}
"""What the steps of all would not see of a task, as a hook has changed it or as it is each member's own."""


@pytest.mark.parametrize("fork", every(3, UNSEEN))
def test_what_the_steps_of_all_would_not_see_is_noticed(fork: str, configured: Any) -> None:
    typed = [*f"task._target_={fork}".split(), "trainer.max_epochs=3"]
    runs = [configured(*typed, f"seed={n}", f"lr=0.{n}") for n in (1, 2)]
    members = [Member(*run) for run in runs]
    loop = StackedLoop(members, check)
    with pytest.raises(ValueError, match=UNSEEN[fork]):  # noqa: PT012 - whichever of them it is
        loop.fit(lambda epoch, count: None)
        measure(loop, members)


@pytest.mark.parametrize(("fork", "reason"), ASIDE.values(), ids=ASIDE)
def test_what_cannot_be_stacked_steps_aside_and_says_why(fork: str, reason: str, configured: Any) -> None:
    config, directory = configured(*fork.split())
    assert reason in why(config, directory)


def why(config: dict[str, Any], directory: Path) -> str:
    """Return the first reason that is found, in the order in which a group looks for them."""
    if told := why_alone(config):
        return told
    if found := list(obstacles(Member(config, directory))):
        return ", ".join(found)
    try:
        prove([(config, directory)])
    except (ValueError, RuntimeError) as error:
        return str(error)
    return ""


def test_one_optimizer_that_cannot_be_stacked_does_not_keep_the_others_from_it(configured: Any) -> None:
    runs: dict[Any, Any] = {}
    for typed in ("optimizer=sgd", "optimizer._target_=forks.NeedsClosure", "optimizer=adam"):
        config, directory = configured(typed)
        runs[(typed,)] = SimpleNamespace(judged=SimpleNamespace(config=config), directory=directory)
    first, bad, last = differences(runs).values()
    assert (first, last) == ("", "")
    assert "its steps cannot be stacked" in bad
