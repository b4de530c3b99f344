"""The training of one run: from the beginning or from its last checkpoint, and again after what may pass."""

import logging
from typing import Any

from overnight.config.errors import counted
from overnight.records.record import LAST, RECORD_FILE, SETTLED, read_record, set_aside
from overnight.runs.origin import Origin
from overnight.training.fit import train
from overnight.training.going_on import to_go_on_from

log = logging.getLogger(__name__)

Config = dict[str, Any]

CURABLE = (OSError, RuntimeError, MemoryError)
"""What another attempt may not meet again: a full disk, a GPU without memory, a lost connection."""


def attempt(config: Config, origin: Origin, going_on: bool) -> Config:  # noqa: FBT001
    """Train; again, if that may cure the error, as often as ``retries`` allows.

    Raises:
        ConfigError: what it is to go on from is not what the configuration says; every file stays.
    """
    directory, left = origin.directory, config["retries"]
    checkpoint = to_go_on_from(directory, config, read_record(directory), own=going_on)
    if going_on and checkpoint:
        set_aside(directory, [RECORD_FILE])
    else:
        if going_on:
            missing = directory / LAST
            log.warning("ckpt_path=last: there is no %s; the run starts from the beginning", missing)
        make_room(origin)
    while True:
        try:
            return train(config, directory, origin.choices, origin.overrides, checkpoint)
        except CURABLE as error:
            if not left:
                raise
            log.warning("%s: failed, will be tried again (%d left): %s", origin.name, left, error)
            log.debug("the attempt failed", exc_info=error)
        left -= 1
        if not checkpoint:
            set_aside(directory)


def make_room(origin: Origin) -> None:
    """Move what an earlier run left in the folder out of the way, and say where to."""
    earlier = read_record(origin.directory)
    aside = set_aside(origin.directory)
    if aside and earlier:
        level = logging.WARNING if earlier["status"] in SETTLED else origin.level
        ended = f"{earlier['status']}, {counted(max(len(earlier['history']) - 1, 0), 'epoch')}"
        who = f"{origin.name}: " if origin.sweep else ""
        log.log(level, "%san earlier run was here (%s); it lies in %s now", who, ended, aside)
