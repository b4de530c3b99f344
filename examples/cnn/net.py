"""A convolutional network in the place of the dense one."""

from torch import Tensor, nn


class CNN(nn.Module):
    """Two convolutions, each of which halves height and width, and a dense layer.

    Args:
        channels: of each convolution.
        dropout: the probability of dropping a feature before the dense layer.
        out_features: the number of classes.
    """

    def __init__(self, channels: int, dropout: float, out_features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, channels, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel_size=3, stride=2, padding=1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(channels * 7 * 7, out_features),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return logits [batch, classes] of images [batch, 1, 28, 28]."""
        logits: Tensor = self.layers(images)
        return logits
