"""Test-time augmentation: what eval.py measures with ``tta=flip``."""

import csv
from pathlib import Path

import lightning as L
import pytest
import torch

from commands import SHORT, Command
from experiments import Compose
from fcnlab.task import Classifier
from fcnlab.views import average_flips
from overnight.config.errors import ConfigError
from overnight.training import parts


def build(compose: Compose, *overrides: str) -> Classifier:
    L.seed_everything(0, verbose=False)
    task, _ = parts.build(compose("data=synthetic", "init=normal", "init.std=0.1", *overrides))
    assert isinstance(task, Classifier)
    return task.eval()


def test_the_probabilities_are_the_mean_of_those_of_an_image_and_its_mirror_image(compose: Compose) -> None:
    images, labels = torch.rand(8, 1, 28, 28), torch.arange(8)
    task = build(compose)
    plain, mirrored = (task.predict_step((views, labels), 0) for views in (images, images.flip(3)))
    assert not torch.allclose(plain, mirrored)
    average_flips(task)
    mean = (plain + mirrored) / 2
    torch.testing.assert_close(task.predict_step((images, labels), 0), mean)
    torch.testing.assert_close(task.predict_step((images.flip(3), labels), 0), mean)
    loss = task.validation_step((images, labels), 0)["plain_loss"]
    torch.testing.assert_close(loss, -mean[labels, labels].log().mean())


def test_what_has_no_shape_of_an_image_or_no_probabilities_is_refused(compose: Compose) -> None:
    task = build(compose)
    average_flips(task)
    with pytest.raises(ConfigError, match=r"height, width\]; these samples are \[784\]"):
        task(torch.rand(8, 784))
    with pytest.raises(ConfigError, match="MSE"):
        average_flips(build(compose, "loss=mse"))


def test_eval_says_what_it_averages_and_predicts_the_same(command: Command, tmp_path: Path) -> None:
    command("train.py", *SHORT, "logger=none", "task_name=flipped")
    checkpoint = "ckpt_path=outputs/runs/flipped/checkpoints/best.ckpt"
    plain = command("eval.py", checkpoint, "tta=null")
    flipped = command("eval.py", checkpoint, "tta=flip", "predictions=flipped.csv")
    assert (flipped.status, flipped.stderr) == (0, "")
    assert "tta: flip; all numbers are of the mean over several views of each sample" in flipped.stdout
    assert "tta" not in plain.stdout
    with (tmp_path / "flipped.csv").open() as file:
        rows = list(csv.DictReader(file))
    right = sum(row["target"] == row["prediction"] for row in rows) / len(rows)
    assert f"test   {right:.4f}" in flipped.stdout
