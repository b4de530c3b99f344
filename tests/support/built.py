"""Networks as they are typed."""

from collections.abc import Callable

import hydra
import pytest
import torch

from commands import CONF
from experiments import Compose
from fcnlab.nets import FCN

Build = Callable[..., FCN]


@pytest.fixture
def build(compose: Compose) -> Build:
    def built(*overrides: str, seed: int = 0) -> FCN:
        torch.manual_seed(seed)
        net: FCN = hydra.utils.instantiate(compose("data=synthetic", *overrides)["model"], _convert_="all")
        return net

    return built


def options(group: str) -> list[str]:
    return sorted(path.stem for path in (CONF / group).glob("*.yaml"))
