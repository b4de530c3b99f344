"""Which members are of one kind, so that what is proven of one of them holds for all."""

import json
from typing import Any

from overnight.stacked.gates import constants
from overnight.stacked.grouping import Run
from overnight.stacked.member import Member
from overnight.stacked.proof import prove

PROVEN: dict[tuple[object, ...], str] = {}
"""The kinds that were looked at in this process, each with what was found; "" where all was equal."""


def kind_of(member: Member) -> tuple[object, ...]:
    """Return what members must have in common: constants of the task, and the numbers of samples."""
    split = member.data.split
    return constants(member.task), len(split.train), len(split.val), len(member.data.test.targets)


def difference(key: tuple[object, ...], run: Run) -> str:
    """Say in what stacking runs of a kind differs from the ordinary way, "" if in nothing; look once."""
    if key not in PROVEN:
        try:
            prove(run.judged.config, run.directory)
            PROVEN[key] = ""
        except Exception as error:  # noqa: BLE001 - whatever it is, there is no proof
            known = isinstance(error, ValueError)
            PROVEN[key] = str(error) if known else f"its steps cannot be stacked ({error})"
    return PROVEN[key]


def choices_of(member: Member) -> tuple[object, ...]:
    """Return the classes of a run's optimizer and scheduler, with the flags that choose how they compute."""
    config = member.config
    return tuple(
        json.dumps(without_numbers(config["task"][key]))
        for key in ("optimizer", "schedule")
        if key in config["task"]
    )


def without_numbers(node: Any) -> Any:
    """Return a node without the settings that are numbers: these change no way of computing."""
    if isinstance(node, dict):
        return {key: without_numbers(value) for key, value in node.items() if not is_number(value)}
    return node


def is_number(value: Any) -> bool:
    """Tell whether a setting is a number, zero apart: a momentum of 0 is another optimizer."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value != 0
