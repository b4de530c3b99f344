"""What people change in a fork of fcnlab: tasks, nets, data, callbacks. Each is a change of a few lines."""

from collections.abc import Iterator
from types import MethodType
from typing import Any

import lightning as L
import torch
from examples.cnn.net import CNN
from torch import Tensor, nn
from torch.nn.utils import spectral_norm

from fcnlab.augment import Flip
from fcnlab.nets import FCN
from fcnlab.synthetic import Synthetic
from fcnlab.task import Classifier, Outputs
from overnight.data.batches import Batches, Samples
from overnight.training.counter_based import CounterBasedUniform


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


class HalfLoss(Classifier):
    """Trains on half of the loss."""

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        outputs = super().training_step(batch, batch_idx)
        return outputs | {"loss": outputs["loss"] / 2}


class Growing(Classifier):
    """Weighs the loss by the number of the epoch."""

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        outputs = super().training_step(batch, batch_idx)
        return outputs | {"loss": outputs["loss"] * (1 + self.current_epoch)}


class ByStep(Classifier):
    """Weighs the loss by the number of the step."""

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        outputs = super().training_step(batch, batch_idx)
        return outputs | {"loss": outputs["loss"] * (1 + self.global_step)}


class CountedNoise(Classifier):
    """Adds noise to the images, by numbers of its own seed, the epoch and the step."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.noise = CounterBasedUniform(settings["seed"])

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        images, targets = batch
        noise = self.noise(self.current_epoch, batch_idx, shape=tuple(images.shape))
        return super().training_step((images + noise, targets), batch_idx)


class Temperature(Classifier):
    """Learns a temperature of its own, with a learning rate of its own."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.temperature = nn.Parameter(torch.ones(()))

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        images, targets = batch
        logits = self.net(images) / self.temperature
        loss = self.loss(logits, targets)
        return {"loss": loss, "plain_loss": loss.detach(), "logits": logits.detach(), "targets": targets}

    def configure_optimizers(self) -> Any:
        groups = [{"params": self.net.parameters()}, {"params": [self.temperature], "lr": 0.05}]
        return self.optimizer(groups)


class OtherValidation(Classifier):
    """Measures with doubled logits."""

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Outputs:
        outputs = super().validation_step(batch, batch_idx, dataloader_idx)
        return outputs | {"plain_loss": outputs["plain_loss"] * 2}


class Logging(Classifier):
    """Logs in its steps, as most modules do."""

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        outputs = super().training_step(batch, batch_idx)
        self.log("train/norm", outputs["logits"].norm(), on_step=False, on_epoch=True, logger=False)
        return outputs


class OwnOptimizerStep(Classifier):
    """Steps only every second time."""

    def optimizer_step(
        self, epoch: int, batch_idx: int, optimizer: Any, optimizer_closure: Any = None
    ) -> None:
        optimizer.step(closure=optimizer_closure)
        if batch_idx % 2:
            optimizer.param_groups[0]["lr"] *= 0.9


class OwnSchedulerStep(Classifier):
    """Steps its scheduler twice."""

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        scheduler.step()
        scheduler.step()


class Manual(Classifier):
    """Optimizes by hand."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.automatic_optimization = False

    def training_step(self, batch: Any, batch_idx: int) -> Outputs:
        outputs = super().training_step(batch, batch_idx)
        optimizer: Any = self.optimizers()
        optimizer.zero_grad()
        self.manual_backward(outputs["loss"])
        optimizer.step()
        return outputs | {"loss": outputs["loss"].detach()}


class OnInstance(Classifier):
    """Gets a hook on the instance."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)

        def halve(self: Classifier, batch: Any, batch_idx: int) -> Outputs:
            outputs = Classifier.training_step(self, batch, batch_idx)
            return outputs | {"loss": outputs["loss"] / 2}

        self.training_step = MethodType(halve, self)  # type: ignore[method-assign]


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


class LateLayers(Classifier):
    """Makes a layer in Lightning's hook for that."""

    def configure_model(self) -> None:
        if not hasattr(self, "late"):
            self.late = nn.Linear(2, 2)


class Wrapped(L.Callback):
    """Gives a layer of the trained network another name."""

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        if isinstance(pl_module.net.output, nn.Linear):  # type: ignore[union-attr]
            pl_module.net.output = nn.Sequential(pl_module.net.output)  # type: ignore[union-attr]
