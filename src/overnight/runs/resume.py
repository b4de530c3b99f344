"""What an interrupted run goes on from."""

import logging
from pathlib import Path
from typing import Any

from overnight.records.record import fingerprint
from overnight.training.checkpoints import LAST, read_checkpoint

log = logging.getLogger(__name__)


def checkpoint_to_go_on_from(directory: Path, config: dict[str, Any]) -> str | None:
    """Return the checkpoint of the run that was interrupted in this directory, None where it left none.

    Raises:
        ValueError: the checkpoint is damaged, or of a run with another configuration.
    """
    path = directory / LAST
    if not path.is_file():
        log.warning("ckpt_path=last: there is no %s; the run starts from the beginning", path)
        return None
    if fingerprint(read_checkpoint(path)["config"]) != fingerprint(config):
        raise ValueError(
            f"ckpt_path=last: {path} is of a run with another configuration. Needed: the very command of the "
            f"interrupted run and ckpt_path=last. To go on with other settings, type: ckpt_path={path} "
            f"task_name=ANOTHER"
        )
    return str(path)
