"""The states of all global random generators, so that a fit goes on with the numbers it would have drawn."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import lightning as L
import numpy as np
import torch

States = dict[str, Any]


def generator_states() -> States:
    """Return the states of torch's, numpy's and Python's generators, as tensors, tuples and numbers."""
    name, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - the global one is meant
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
        "numpy": (name, torch.from_numpy(np.array(keys, dtype=np.int64)), *rest),
        "python": random.getstate(),
    }


def restore_generators(states: States) -> None:
    """Set all generators to states of ``generator_states``, which may have been on another device since."""
    torch.set_rng_state(states["torch"].cpu())
    if torch.cuda.is_available() and states["cuda"]:
        torch.cuda.set_rng_state_all([state.cpu() for state in states["cuda"]])
    name, keys, *rest = states["numpy"]
    np.random.set_state((name, keys.cpu().numpy().astype(np.uint32), *rest))  # noqa: NPY002
    random.setstate(states["python"])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from generators of this seed, and leave the global ones as they were."""
    states = generator_states()
    L.seed_everything(seed, verbose=False)
    try:
        yield
    finally:
        restore_generators(states)
