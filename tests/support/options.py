"""The options of all groups, and the shortest run that shows whether one trains."""

from pathlib import Path

from commands import CONF, SHORT
from overnight.config.folders import SHIPPED
from overnight.records.record import Record, find_runs, read_record

SWEPT = ["experiment", "hparams_search"]
SHORTEST = [*SHORT, "data.train_size=120", "data.test_size=40", "data.val_size=40", "data.batch_size=32"]
STEP = ["+trainer.limit_train_batches=1", "trainer.max_epochs=1"]
BARE = ["logger=none", "callbacks=none"]


def options(groups: list[str]) -> list[str]:
    return sorted(
        f"{group}={path.stem}"
        for folder in (CONF, SHIPPED)
        for group in groups
        for path in (folder / group).glob("*.yaml")
    )


def only_record(directory: Path) -> Record:
    (found,) = find_runs(directory)
    record = read_record(found)
    assert record
    return record
