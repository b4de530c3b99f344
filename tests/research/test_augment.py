"""Augmentations: their pixels and targets, against other computations of the same."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from scipy.stats import binomtest
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import one_hot, pad

from experiments import QUIET, Compose, Prepare
from fcnlab.augment import Affine, Flip, Shift
from overnight.config import schema
from overnight.config.errors import ConfigError
from overnight.training.augmentation import Augmentations
from overnight.training.counter_based import CounterBasedUniform
from small_images import BLACK, Build, drawn

ALL = "augmentation=[flip,shift,affine,mixup,cutmix]"
OPTIONS = ("flip", "shift", "affine", "mixup", "cutmix")


def test_a_flip_mirrors_left_and_right(images: Tensor, labels: Tensor) -> None:
    chosen = torch.arange(40) % 3 == 0
    flipped, targets = Flip(0.5)(images, labels, drawn(torch.where(chosen, 0.49, 0.5)))
    assert targets is labels
    for image, result, is_chosen in zip(images, flipped, chosen, strict=True):
        assert torch.equal(result, torch.flip(image, [-1]) if is_chosen else image)


@pytest.mark.parametrize("pixels", [1, 3, 20])
def test_a_shift_moves_whole_pixels_and_black_comes_in(images: Tensor, labels: Tensor, pixels: int) -> None:
    numbers = CounterBasedUniform(0)(shape=(3, 40))
    shifted, _ = Shift(0.7, pixels)(images, labels, numbers)
    distances = (numbers[1:] * (2 * pixels + 1)).floor().int() - pixels
    assert set(distances.flatten().tolist()) <= set(range(-pixels, pixels + 1))
    for image, result, chosen, (down, right) in zip(
        images, shifted, numbers[0] < 0.7, distances.t().tolist(), strict=True
    ):
        wide = pad(image, [pixels] * 4, value=BLACK)
        top, left = pixels - down * int(chosen), pixels - right * int(chosen)
        assert torch.equal(result, wide[:, top : top + 12, left : left + 9])


@pytest.mark.parametrize(("degrees", "scale"), [(90, 0.0), (0, 0.3), (30, 0.2)])
def test_an_affine_map_is_that_of_scipy(images: Tensor, labels: Tensor, degrees: float, scale: float) -> None:
    numbers = CounterBasedUniform(0)(shape=(3, 40)).double()
    turned, _ = Affine(0.6, degrees, scale)(images.double(), labels, numbers)
    for image, result, (choice, turn, growth) in zip(images, turned, numbers.t().tolist(), strict=True):
        angle, size = np.radians(degrees) * (2 * turn - 1), 1 + scale * (2 * growth - 1)
        matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / size
        centre = (np.array(image.shape[1:]) - 1) / 2
        for channel, found in zip(image, result, strict=True):
            looked_up = affine_transform(
                channel.double().numpy(),
                matrix,
                centre - matrix @ centre,
                order=1,
                mode="grid-constant",
                cval=float(np.float32(BLACK)),
            )
            expected = torch.from_numpy(looked_up) if choice < 0.6 else channel.double()
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-9)


def test_a_quarter_turn_is_exact(labels: Tensor) -> None:
    square = torch.rand(40, 1, 8, 8)
    turned, _ = Affine(1.0, 90.0, 0.0)(square, labels, drawn(0, 1, 0.5))
    assert any(torch.allclose(turned, torch.rot90(square, times, (-2, -1)), atol=1e-5) for times in (1, -1))


@pytest.mark.parametrize("option", [*OPTIONS, ",".join(OPTIONS)])
def test_at_probability_0_nothing_changes(
    option: str, images: Tensor, labels: Tensor, augmentations: Build
) -> None:
    off = [f"augmentation.{name}.p=0" for name in option.split(",")]
    result = augmentations(f"augmentation=[{option}]", *off)(images, labels, 0, 0)
    assert torch.equal(result.images, images)
    assert torch.equal(result.counted, labels)
    expected = one_hot(labels, 10).float() if "mix" in option else labels
    assert torch.equal(result.learned, expected)


def test_every_image_has_draws_of_its_own_which_seed_epoch_and_step_repeat(
    images: Tensor, labels: Tensor
) -> None:
    same = images[:1].expand(400, -1, -1, -1)
    augment = Augmentations({"flip": Flip(0.3)}, seed=4)
    flips = {
        (epoch, step): (augment(same, labels[:1].expand(400), epoch, step).images != same).any((1, 2, 3))
        for epoch in range(3)
        for step in range(3)
    }
    flipped = torch.stack(list(flips.values()))
    assert binomtest(int(flipped.sum()), flipped.numel(), 0.3).pvalue > 1e-3
    assert len(flipped.unique(dim=0)) == 9
    again = Augmentations({"flip": Flip(0.3)}, seed=4)(same, labels[:1].expand(400), 2, 1).images
    assert torch.equal((again != same).any((1, 2, 3)), flips[2, 1])
    other = Augmentations({"flip": Flip(0.3)}, seed=5)(same, labels[:1].expand(400), 2, 1).images
    assert not torch.equal((other != same).any((1, 2, 3)), flips[2, 1])


def test_members_with_seeds_of_their_own_get_the_bits_that_each_gets_by_itself(
    images: Tensor, labels: Tensor, augmentations: Build
) -> None:
    alone = [augmentations(ALL, seed=seed) for seed in (0, 1, 7)]
    keys = torch.stack([augment.uniform.key for augment in alone])

    def altered(key: Tensor) -> Any:
        return tuple(functional_call(alone[0], {"uniform.key": key}, (images, labels, 2, 5)))

    together = zip(*torch.vmap(altered)(keys), strict=True)
    for ours, augment in zip(together, alone, strict=True):
        for tensor, by_itself in zip(ours, augment(images, labels, 2, 5), strict=True):
            assert torch.equal(tensor, by_itself)


def test_the_order_of_a_list_changes_nothing(images: Tensor, labels: Tensor, augmentations: Build) -> None:
    listed = ("cutmix,flip,affine", "affine,flip,cutmix")
    one, other = (augmentations(f"augmentation=[{names}]")(images, labels, 0, 0) for names in listed)
    assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))


def test_black_of_the_standardized_data_comes_in(prepare: Prepare) -> None:
    experiment = prepare(*QUIET, "augmentation=shift", "augmentation.shift.pixels=30", "data.batch_size=500")
    experiment.data.setup()
    batch = next(iter(experiment.data.train_dataloader()))
    result = experiment.task.training_inputs(batch, 0)
    darkest = experiment.data.official_train.features.min()
    assert result.min() == darkest < -0.5
    emptied = (result == darkest).all(-1).all(-1)
    assert emptied.sum() > 0


def test_a_fit_with_all_of_them_repeats_itself_and_draws_nothing_from_torch(prepare: Prepare) -> None:
    settings = (*QUIET, "trainer.max_epochs=2", "label_smoothing=0.1")
    fits = [prepare(*settings, ALL) for _ in range(2)]
    for experiment in fits:
        state = torch.get_rng_state()
        experiment.fit()
        assert torch.equal(torch.get_rng_state(), state)
    assert fits[0].rows == fits[1].rows
    plain = prepare(*settings)
    plain.fit()
    assert plain.rows[0] == fits[0].rows[0]
    plain_loss, altered_loss = (rows[1]["train/loss"] for rows in (plain.rows, fits[0].rows))
    assert plain_loss is not None
    assert altered_loss is not None
    assert plain_loss < altered_loss


WRONG = {
    "augmentation.flip.p=1.5": "augmentation.flip.p=1.5: needed: a probability, from 0 to 1",
    "augmentation.shift.pixels=0": "augmentation.shift.pixels=0: needed: a whole number, 1 or more",
    "augmentation.affine.degrees=200": "augmentation.affine.degrees=200: needed: degrees",
    "augmentation.affine.scale=1": "augmentation.affine.scale=1: needed: a share",
    "augmentation.mixup.alpha=0": "augmentation.mixup.alpha=0: needed: a number above 0",
    "augmentation.cutmix.p=true": "augmentation.cutmix.p=True: needed: a probability",
}


@pytest.mark.usefixtures("unread_data")
@pytest.mark.parametrize(("typed", "said"), WRONG.items())
def test_a_wrong_setting_is_refused_before_any_data_is_read(typed: str, said: str, prepare: Prepare) -> None:
    with pytest.raises(ConfigError, match=said):
        prepare(*QUIET, ALL, typed)


def test_a_table_is_refused_before_it_is_read(compose: Compose) -> None:
    config = compose("augmentation=[flip,cutmix]")
    config["data"]["target"] = "price"
    with pytest.raises(ConfigError, match=r"augmentation=\[flip,cutmix\]: a table has no images"):
        schema.check(config)


def test_data_without_images_is_refused(labels: Tensor) -> None:
    with pytest.raises(ConfigError, match=r"augmentation=flip: the data has torch.float32 of shape \[7\]"):
        Augmentations({"flip": Flip(0.5)}, 0)(torch.randn(40, 7), labels, 0, 0)
