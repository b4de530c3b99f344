"""Whether a step of all members takes less time than their own steps one after another."""

import math
import time
import timeit
from collections.abc import Callable

import torch
from torch import Generator

from overnight.stacked.batches import cut, draw
from overnight.stacked.loop import StackedLoop
from overnight.stacked.steps import call_step

CLEARLY = 1.25
"""How much slower a stacked step has to be to be given up: clocks are noisy.

Two or five nets of ``conf/model`` take 0.24 to 1.07 times as long together as one after another.
"""
TRIES = 5
"""How often it is measured before it is given up: a crowded machine can hold up every call of one try."""
LOOP = 4e-4
"""Seconds that Lightning's loop adds to each step of a run by itself, on a common processor."""


def refuse_if_slow(loop: StackedLoop) -> None:
    """Refuse members that take clearly longer together than one after another (ValueError).

    Timed are a forward and backward pass of all members, and as many of one by itself, on copies. Both take
    about as long, so that on a crowded machine both are interrupted as often.
    """
    drawn = next(
        draw(loop.samples("train")[:1], cut([loop.members[0].data.train_dataloader()], loop.batch_size))
    )
    alone, steps, state = loop.rehearsal([Generator(loop.device) for _ in loop.members])

    def together() -> None:
        outputs = steps.call(state, "training_step", drawn, 0)
        outputs["loss"].sum().backward()

    def in_turn() -> None:
        for _ in loop.members:
            call_step(alone, "training_step", drawn.samples, 0)["loss"].backward()

    fast = slow = math.inf
    for _ in range(TRIES):
        with loop.precision(), torch.random.fork_rng():
            fast = min(fast, fastest(together))
            slow = min(slow, fastest(in_turn) + LOOP * len(loop.members))
        if fast <= CLEARLY * slow:
            return
    raise ValueError(f"a step of all takes {fast:.2g} s, one after another {slow:.2g} s")


def fastest(step: Callable[[], None]) -> float:
    """Return the seconds of the processor that the fastest of a few calls takes; the first one warms up.

    By the clock on the wall, other processes would decide.
    """
    return min(timeit.repeat(step, timer=time.process_time, number=1, repeat=5))
