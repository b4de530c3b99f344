"""The real images, and what the tests of the research share."""

import os
from pathlib import Path

import pytest

from commands import ROOT
from experiments import compose
from fcnlab import fashion_mnist
from overnight.data.in_memory import Source

__all__ = ["compose"]


@pytest.fixture(scope="session")
def real_folder() -> Path:
    """Return the folder of the real files; never downloads."""
    root = Path(os.environ.get("FCNLAB_DATA", ROOT / "data"))
    folders = (root / "FashionMNIST" / "raw", fashion_mnist.DEBIAN)
    for folder in folders:
        if all(fashion_mnist.stored(folder, name) for name in fashion_mnist.DIGESTS):
            return folder
    pytest.skip(f"FashionMNIST is neither in {folders[0]} nor in {folders[1]}. Type: make data")


@pytest.fixture(scope="session")
def real_data(real_folder: Path) -> Source:
    """Return the normalized FashionMNIST."""
    return fashion_mnist.load(real_folder.parents[1])
