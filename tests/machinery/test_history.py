"""The history of a fit: what stops it."""

import math
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from overnight.training.history import History
from overnight.training.rows import DivergedError

NAN = torch.tensor(math.nan)


@pytest.mark.parametrize("outputs", [NAN, {"loss": NAN}], ids=["a tensor", "a dict"])
def test_loss_that_is_not_a_number_stops_the_fit(outputs: Any) -> None:
    with pytest.raises(DivergedError, match="training loss is nan in epoch 1, step 4"):
        History({}).on_train_batch_end(
            Mock(current_epoch=0, max_steps=-1, should_stop=False), Mock(), outputs, None, batch_idx=3
        )


def test_a_step_without_a_loss_stops_nothing() -> None:
    History({}).on_train_batch_end(
        Mock(current_epoch=0, max_steps=-1, should_stop=False), Mock(), None, None, batch_idx=3
    )
