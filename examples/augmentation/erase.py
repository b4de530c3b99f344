"""An augmentation of one's own."""

import torch
from torch import Tensor

from fcnlab.augment import black
from overnight.training.augmentation import Augmentation, of_images


class Erase(Augmentation):
    """Blackens a band of rows at a height of its own in each image that is chosen.

    Args:
        p: the probability with which an image is altered.
        rows: the height of the band, in pixels.
    """

    draws = 2
    """For each image: whether it is altered, and where the band begins."""

    def __init__(self, p: float, rows: int) -> None:
        super().__init__(p)
        self.rows = rows

    def forward(self, images: Tensor, targets: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        """Return images [batch, channels, height, width] and targets; ``drawn`` [2, batch] is uniform."""
        height = images.shape[-2]
        row = torch.arange(height, device=images.device)
        first = (drawn[1] * (height - self.rows + 1)).floor()[:, None]
        band = (row >= first) & (row < first + self.rows)
        erased = band[:, None, :, None] & of_images(drawn[0] < self.p)
        return torch.where(erased, black(images), images), targets
