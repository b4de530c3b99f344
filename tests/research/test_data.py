"""The images, and what a record says of them."""

import torch

from experiments import QUIET, Prepare
from fcnlab.images import normalize
from overnight.data.batches import Samples
from overnight.data.in_memory import Source
from threads import threads


def test_runs_with_other_seeds_share_the_split(prepare: Prepare) -> None:
    def digest(*overrides: str) -> object:
        data = prepare(*QUIET, *overrides).data
        data.setup()
        return data.describe()["split"]

    assert digest("seed=0") == digest("seed=1")
    assert digest("data.split_seed=0") != digest("data.split_seed=1")
    assert digest("data.folds=5") != digest("data.folds=5", "data.fold=1")


def test_what_a_record_says_of_its_data(prepare: Prepare) -> None:
    data = prepare(*QUIET, "data.folds=5", "data.fold=2").data
    data.setup()
    assert data.describe() == {
        "train": 480,
        "val": 120,
        "test": 100,
        "split": data.split.digest(),
        "samples": data.samples_digest,
        "folds": 5,
        "fold": 2,
    }


def test_synthetic_data_is_learnable(prepare: Prepare) -> None:
    experiment = prepare(*QUIET, "model=logistic", "trainer.max_epochs=2")
    experiment.fit()
    accuracies = [row["val/acc"] or 0 for row in experiment.rows]
    assert accuracies[0] < 0.3
    assert accuracies[-1] > 0.9


def test_images_are_normalized_by_counts_whatever_the_number_of_threads() -> None:
    pixels = torch.randint(256, (4_000, 2, 14, 14), generator=torch.Generator().manual_seed(0))
    source = Source(*[Samples(pixels.to(torch.uint8), torch.zeros(4_000))] * 2)
    found = []
    for number in (1, 2):
        with threads(number):
            found.append(normalize(source).train.features)
    assert torch.equal(*found)
    means, deviations = found[0].double().mean((0, 2, 3)), found[0].double().std((0, 2, 3))
    assert torch.allclose(means, torch.zeros(2).double(), atol=1e-6)
    assert torch.allclose(deviations, torch.ones(2).double(), atol=1e-6)
