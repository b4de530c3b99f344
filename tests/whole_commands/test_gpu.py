"""What is trained on a GPU; no other test sees one. Type: make test-gpu."""

from pathlib import Path
from typing import Any

import pytest
import torch

from commands import SHORT, Command, result
from overnight.records.record import Record, find_runs, read_record

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no GPU"),
]
GPU = (*SHORT, "trainer=gpu", "logger=none")
STACKED = ("-m", "seed=0,1,2", "hydra/launcher=stacked")


def records(folder: Path) -> dict[Any, Record]:
    """Return the records below a folder by seed."""
    found = [record for path in find_runs(folder) if (record := read_record(path))]
    return {record["config"]["seed"]: record for record in found}


def rows(record: Record) -> list[Any]:
    """Return the history without the clock, to compare to a tolerance: products differ in their last bits."""
    return [pytest.approx(row | {"seconds": None}, rel=1e-2, abs=2e-2) for row in record["history"]]


def test_the_same_command_gives_the_same_history_and_a_true_record(command: Command, tmp_path: Path) -> None:
    for name in ("one", "two"):
        typed = ("regularization=[dropout,batch_norm]", f"task_name={name}")
        assert command("train.py", *GPU, *typed).status == 0
    one, two = (records(tmp_path / "outputs" / "runs" / name)[0] for name in ("one", "two"))
    assert one["checked"] is True
    assert "cuda" in one["environment"]["device"].lower() or "nvidia" in one["environment"]["device"].lower()
    assert result(one) | {"name": None} == result(two) | {"name": None}


def test_what_was_trained_on_the_gpu_is_measured_alike_on_the_cpu(command: Command, tmp_path: Path) -> None:
    command("train.py", *GPU, "task_name=one")
    record = records(tmp_path)[0]
    checkpoint = "outputs/runs/one/checkpoints/best.ckpt"
    measured = command("eval.py", f"ckpt_path={checkpoint}", "accelerator=cpu")
    assert measured.status == 0
    assert f"{record['best']['test/acc']:.2f}" in measured.stdout


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_a_stacked_run_is_the_run_that_it_would_be_by_itself(
    precision: str, command: Command, tmp_path: Path
) -> None:
    typed = (*GPU, f"+trainer.precision={precision}", "regularization=layer_norm", "optimizer=momentum")
    assert command("train.py", *typed, *STACKED, "task_name=stacked").status == 0
    assert command("train.py", *typed, "-m", "seed=0,1,2", "task_name=alone").status == 0
    stacked, alone = (records(tmp_path / "outputs" / "sweeps" / name) for name in ("stacked", "alone"))
    for seed, record in stacked.items():
        assert record["trained"] == "stacked with 2 others"
        assert [row | {"seconds": None} for row in record["history"]] == rows(alone[seed])
