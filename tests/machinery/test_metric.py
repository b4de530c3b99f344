"""What the name of a metric tells of its split."""

import pytest

from overnight.records.metric import counterpart, is_of_test, split_and_name
from overnight.records.sampling import written
from overnight.runs.evaluate import table


@pytest.mark.parametrize(
    ("metric", "split", "name"),
    [
        ("val/f1", "val", "f1"),
        ("val_loss", "val", "loss"),
        ("valid.loss", "val", "loss"),
        ("training-loss", "train", "loss"),
        ("loss_test", "test", "loss"),
        ("val_loss/dataloader_idx_1", "val", "loss/dataloader_idx_1"),
        ("interval", "", "interval"),
    ],
)
def test_a_metric_has_a_split_and_a_name(metric: str, split: str, name: str) -> None:
    assert split_and_name(metric) == (split, name)


def test_a_metric_of_validation_has_a_counterpart() -> None:
    assert counterpart("val_loss/dataloader_idx_0", "test") == "test_loss/dataloader_idx_0"
    assert [counterpart(name, "test") for name in ("Val/F1", "VAL loss")] == ["Test/F1", "TEST loss"]
    assert [is_of_test(name) for name in ("test/f1", "val/latest", "Test_loss")] == [True, False, True]


def test_a_table_has_a_row_for_each_split_and_errors_for_shares_only() -> None:
    measured = {"val/share": 0.5, "val/loss": 1.25, "test/share": 0.5, "test/loss": 1.5, "mine": None}
    config = {"metric": "val/share", "metric_share": True}
    assert table(measured, config, {"val": 100, "test": 10_000}).splitlines() == [
        "      loss    share",
        "val   1.2500  0.5000 ± 0.0962",
        "test  1.5000  0.5000 ± 0.0098",
        "±: half the 95 % interval that the number of samples alone leaves",
    ]
    assert "±" not in table(measured, config | {"metric_share": False}, {"val": 100})


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.8, "0.8000"), (0.0, "0.0000"), (12.34567, "12.3457"), (3e-9, "3e-09"), (-1.23456e25, "-1.235e+25")],
)
def test_a_metric_is_legible_however_small_or_large_it_is(value: float, text: str) -> None:
    assert written(value) == text
