"""What people change in a fork of fcnlab: nets, data, callbacks. Each is a change of a few lines."""

from collections.abc import Callable, Iterator
from typing import Any

import lightning as L
import torch
from examples.cnn.net import CNN
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

from fcnlab.augment import Flip
from fcnlab.nets import FCN
from fcnlab.synthetic import Synthetic
from overnight.data.batches import Batches, Samples


class EditedForward(FCN):
    """Throws away what the hidden layers compute."""

    def forward(self, images: Tensor) -> Tensor:
        return self.output(self.hidden(images.flatten(1)) * 0)  # type: ignore[no-any-return]


class Residual(FCN):
    """Adds the first hidden layer to the second; the sizes have to be equal."""

    def forward(self, images: Tensor) -> Tensor:
        first = self.hidden[0](images.flatten(1))
        return self.output(first + self.hidden[1](first))  # type: ignore[no-any-return]


class Convolutional(CNN):
    """Has two convolutions, whatever the settings of a dense network."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(channels=4, dropout=0.0, out_features=settings["out_features"])


class Noisy(FCN):
    """Adds noise to the images in training."""

    def forward(self, images: Tensor) -> Tensor:
        noise = torch.randn_like(images) if self.training else torch.zeros_like(images)
        return super().forward(images + 0.1 * noise)


class Fourier(FCN):
    """Multiplies the images with random signs that no checkpoint keeps."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.signs = torch.randn(settings["in_features"]).sign()

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images.flatten(1) * self.signs)


class Unkept(Fourier):
    """Has them as a buffer that is not persistent."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        signs = self.__dict__.pop("signs")
        self.register_buffer("signs", signs, persistent=False)


class Answers(FCN):
    """Gives the classes themselves."""

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images).argmax(1)


class Shortened(Flip):
    """Returns half of the batch."""

    def forward(self, images: Tensor, targets: Tensor, drawn: Tensor) -> tuple[Tensor, Tensor]:
        return images[::2], targets[::2]


class Idle(nn.Module):
    """Has nothing to train."""

    def __init__(self, **settings: Any) -> None:
        super().__init__()
        self.outputs = settings["out_features"]

    def forward(self, images: Tensor) -> Tensor:
        return images.flatten(1)[:, : self.outputs]


class AlphaDropped(FCN):
    """Has another kind of dropout, too."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.drop = nn.AlphaDropout(0.2)

    def forward(self, images: Tensor) -> Tensor:
        return super().forward(self.drop(images))


class Spectral(FCN):
    """Normalizes the output layer's weights by their largest singular value."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        spectral_norm(self.output)


class Tied(FCN):
    """Uses one weight for two layers of the same shape."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.hidden[1].linear.weight = self.hidden[0].linear.weight  # type: ignore[union-attr]


class Frozen(FCN):
    """Does not train its first layer."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.hidden[0].requires_grad_(requires_grad=False)


class Counting(FCN):
    """Counts its steps, and has another output after some of them."""

    steps = 0

    def forward(self, samples: Tensor) -> Tensor:
        self.steps += self.training
        return super().forward(samples) * (1 + (self.steps > 4))


class RunningScale(FCN):
    """Scales by a running mean that no checkpoint holds."""

    scale: Tensor

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.register_buffer("scale", torch.ones(()), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        if self.training:
            self.scale.mul_(0.8).add_(0.6)
        return super().forward(samples) * self.scale


class Blank(Synthetic):
    """Blanks all images before a step."""

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return Samples(torch.zeros_like(batch[0]), batch[1])


class Reversed(Batches):
    """Yields the samples of each batch in reverse."""

    def __iter__(self) -> Iterator[Samples]:
        for batch in super().__iter__():
            yield Samples(*(tensor.flip(0) for tensor in batch))


class Backwards(Synthetic):
    """Has other batches."""

    def train_dataloader(self) -> Batches:
        plain = super().train_dataloader()
        return Reversed(plain.samples, plain.sampler, plain.batch_size)


class Unfreeze(L.Callback):
    """Freezes the first layer for an epoch."""

    def on_train_epoch_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        for parameter in pl_module.net.hidden[0].parameters():  # type: ignore[index,union-attr]
            parameter.requires_grad = trainer.current_epoch > 0


class ByBatch(L.Callback):
    """Shrinks the weights after every batch."""

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        with torch.no_grad():
            for parameter in pl_module.parameters():
                parameter.mul_(0.99)


class Wrapped(L.Callback):
    """Gives a layer of the trained network another name."""

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if isinstance(pl_module.net.output, nn.Linear):  # type: ignore[union-attr]
            pl_module.net.output = nn.Sequential(pl_module.net.output)  # type: ignore[union-attr]


class NeedsClosure(torch.optim.SGD):
    """Cannot step without the closure that Lightning gives, as LBFGS cannot."""

    def step(self, closure: Callable[[], float]) -> float:  # type: ignore[override]
        loss = closure()
        super().step()
        return loss


def make_net() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))


def anything() -> float:
    return 0.5
