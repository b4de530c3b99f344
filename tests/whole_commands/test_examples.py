"""The examples do what their page says, by the commands that it gives, and in as many lines."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from examples.augmentation.erase import Erase
from examples.metric.worst_class import WorstClass
from torchmetrics.classification import MulticlassRecall

from commands import ROOT, SHORT, Command, every
from foreign_runs import recorded
from overnight.records.record import Record

pytestmark = pytest.mark.filterwarnings("ignore:.*does not have many workers")  # of the foreign data module

EXAMPLES = ROOT / "examples"
ROW = re.compile(r"^\|.*\((\w+)\) \| `python train.py (.+)` \| (\d+) \|$", re.MULTILINE)
OWN_DATA = ["trainer=cpu", "trainer.max_epochs=2"]


class Example(NamedTuple):
    """What the table says of one."""

    name: str
    arguments: str
    lines: str


class Proof(NamedTuple):
    """How to train it in a moment, and what shows that what it adds was used."""

    settings: list[str]
    shows: Callable[[Record, Path], bool]


PAGE = [Example(*row) for row in ROW.findall((EXAMPLES / "README.md").read_text(encoding="utf-8"))]
PROOFS = {
    "cnn": Proof(SHORT, lambda record, _: record["model"]["parameters"] == 25_258),
    "pendulum": Proof(OWN_DATA, lambda record, _: record["best"]["val/r2"] > 0.5),
    "spirals": Proof(OWN_DATA, lambda record, _: record["data"]["test"] == 600),
    "waves": Proof(OWN_DATA, lambda record, _: record["best"]["val_loss"] < record["history"][0]["val_loss"]),
    "metric": Proof(SHORT, lambda record, _: 0 <= record["best"]["val/worst"] <= record["best"]["val/acc"]),
    "augmentation": Proof(SHORT, lambda record, _: "erase" in record["config"]["task"]["augmentation"]),
    "callback": Proof(SHORT, lambda record, _: record["history"][1]["weight_norm"] > 1),
    "logger": Proof(SHORT, lambda _, run: '"step": 2, ' in (run / "metrics.jsonl").read_text()),
}


@pytest.mark.parametrize("name", every(4, [example.name for example in PAGE]))
def test_an_example_is_trained_by_its_command(name: str, command: Command, tmp_path: Path) -> None:
    settings, shows = PROOFS[name]
    (typed,) = [example.arguments for example in PAGE if example.name == name]
    arguments = [text.replace("examples/", f"{EXAMPLES}/") for text in shlex.split(typed)]
    assert command("train.py", *arguments, *settings, "task_name=mine").status == 0
    record = recorded(tmp_path)
    assert record["checked"] is True
    assert shows(record, tmp_path / "outputs" / "runs" / "mine")


def test_the_page_names_every_example_with_its_lines() -> None:
    files = [path for path in EXAMPLES.glob("*/**/*") if path.suffix in {".py", ".yaml"}]
    lines = dict.fromkeys((path.relative_to(EXAMPLES).parts[0] for path in files), 0)
    for path in files:
        lines[path.relative_to(EXAMPLES).parts[0]] += len(path.read_text(encoding="utf-8").splitlines())
    assert {example.name: int(example.lines) for example in PAGE} == lines
    assert max(lines.values()) < 100


def test_the_metric_is_the_smallest_recall() -> None:
    logits, targets = torch.randn(200, 4, generator=torch.Generator().manual_seed(0)), torch.arange(200) % 4
    ours, recalls = WorstClass(4), MulticlassRecall(4, average=None)
    for batch in (slice(0, 90), slice(90, 200)):
        ours.update(logits[batch], targets[batch])
        recalls.update(logits[batch], targets[batch])
    assert torch.equal(ours.compute(), recalls.compute().min())


def test_the_augmentation_blackens_a_band_of_the_images_that_are_chosen() -> None:
    images, targets = torch.ones(3, 1, 6, 4), torch.arange(3)
    images[0, 0, 0, 0] = -1  # black
    drawn = torch.tensor([[0.4, 0.6, 0.0], [0.0, 0.5, 0.999]])
    erased, _ = Erase(p=0.5, rows=2)(images, targets, drawn)
    black = (erased == -1).all(3)[:, 0].int()
    assert black.tolist() == [[1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1]]
