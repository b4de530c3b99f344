"""Random numbers from a seed and counters."""

from typing import Any

import pytest
import torch
from scipy.stats import kstest, pearsonr
from torch.func import functional_call

from overnight.training.counter_based import CounterBasedUniform

SPLITMIX64 = (
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
)
"""The first numbers of SplitMix64 with the seed 1234567."""


def test_the_hash_is_that_of_splitmix64() -> None:
    uniform = CounterBasedUniform(0)
    uniform.key.fill_(1234567)
    assert uniform(shape=(5,)).tolist() == [(number >> 40) / 2**24 for number in SPLITMIX64]


@pytest.mark.parametrize(("seed", "counters"), [(0, (0, 0)), (1, (0, 0)), (2**32 - 1, (199, 468))])
def test_the_numbers_are_uniform_and_unrelated(seed: int, counters: tuple[int, ...]) -> None:
    numbers = CounterBasedUniform(seed)(*counters, shape=(200_000,))
    assert 0 <= numbers.min() < numbers.max() < 1
    assert kstest(numbers.numpy(), "uniform").pvalue > 1e-3
    others = {
        "the next place": numbers.roll(1),
        "the next seed": CounterBasedUniform(seed + 1)(*counters, shape=(200_000,)),
        "the next step": CounterBasedUniform(seed)(counters[0], counters[1] + 1, shape=(200_000,)),
        "the next epoch": CounterBasedUniform(seed)(counters[0] + 1, counters[1], shape=(200_000,)),
        "epoch and step exchanged": CounterBasedUniform(seed)(counters[1], counters[0] + 5, shape=(200_000,)),
    }
    for other, compared in others.items():
        assert pearsonr(numbers, compared).pvalue > 1e-4, other


def test_members_of_a_batch_of_seeds_draw_what_each_draws_by_itself() -> None:
    seeds = [CounterBasedUniform(seed) for seed in (0, 1, 5)]
    keys = torch.stack([uniform.key for uniform in seeds])

    def draw(key: torch.Tensor) -> Any:
        return functional_call(seeds[0], {"key": key}, (2, 3), {"shape": (4, 6)})

    together = torch.vmap(draw)(keys)
    assert all(torch.equal(own, seed(2, 3, shape=(4, 6))) for own, seed in zip(together, seeds, strict=True))


def test_nothing_is_drawn_from_torchs_generator_and_nothing_is_saved() -> None:
    before = torch.get_rng_state()
    uniform = CounterBasedUniform(0)
    uniform(0, shape=(10,))
    assert torch.equal(torch.get_rng_state(), before)
    assert uniform.state_dict() == {}
