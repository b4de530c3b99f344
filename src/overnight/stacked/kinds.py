"""Which members are of one kind, so that what is proven of one of them holds for all."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from overnight.stacked.gates import constants
from overnight.stacked.grouping import Run
from overnight.stacked.member import Member
from overnight.stacked.proof import prove

Kind = tuple[object, ...]

PROVEN: dict[Kind, str] = {}
"""The kinds that were looked at in this process, each with what was found; "" where all was equal."""


def kind_of(member: Member) -> Kind:
    """Return what members must have in common: constants of the task, and the numbers of samples."""
    split = member.data.split
    return constants(member.task), len(split.train), len(split.val), len(member.data.test.targets)


def differences(runs: Mapping[Kind, Run]) -> dict[Kind, str]:
    """Say in what stacking runs of each kind differs from the ordinary way, "" if in nothing; look once.

    Kinds that are new are looked at together, which is quicker; if one of them differs, each by itself.
    """
    new = {kind: run for kind, run in runs.items() if kind not in PROVEN}
    found = difference([*new.values()]) if new else ""
    alone = found and len(new) > 1
    PROVEN.update({kind: difference([run]) if alone else found for kind, run in new.items()})
    return {kind: PROVEN[kind] for kind in runs}


def difference(runs: Sequence[Run]) -> str:
    """Say in what stacking these runs differs from the ordinary way, "" if in nothing."""
    try:
        prove([(run.judged.config, run.directory) for run in runs])
    except Exception as error:  # noqa: BLE001 - whatever it is, there is no proof
        known = isinstance(error, ValueError)
        return str(error) if known else f"its steps cannot be stacked ({error})"
    return ""


def choices_of(member: Member) -> Kind:
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
