"""Modules as others write them: plain Lightning, with nothing in them of this project."""

from collections.abc import Callable
from typing import Any, cast

import lightning as L
import torch
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from foreign.data import INPUTS, Pair


class Regressor(L.LightningModule):
    """A net with dropout that logs ``train_loss``, ``val_loss`` and ``test_loss``."""

    def __init__(self, lr: float = 0.05) -> None:
        super().__init__()
        self.lr = lr
        self.net: nn.Module = nn.Sequential(nn.Linear(INPUTS, 8), nn.Dropout(0.2), nn.Linear(8, 1))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return torch.optim.Adam(self.parameters(), lr=self.lr)

    def loss(self, batch: Any) -> Tensor:
        x, y = batch
        return mse_loss(self.net(x), y)

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        loss = self.loss(batch)
        self.log("train_loss", loss, on_epoch=True, on_step=False, batch_size=8)
        return loss

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.log("val_loss", self.loss(batch), batch_size=8)

    def test_step(self, batch: Any, batch_idx: int) -> None:
        self.log("test_loss", self.loss(batch), batch_size=8)

    def predict_step(self, batch: Any, batch_idx: int) -> Any:
        return self.net(batch[0])


class Saving(Regressor):
    """Saves all its hyperparameters: the network and a partial are among them."""

    def __init__(self, net: nn.Module, optimizer: Callable[..., torch.optim.Optimizer]) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net, self.optimizer = net, optimizer

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return self.optimizer(self.parameters())


class Manual(Regressor):
    """Steps its optimizer itself, and returns nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False

    def training_step(self, batch: Any, batch_idx: int) -> None:
        optimizer: Any = self.optimizers()
        optimizer.zero_grad()
        loss = self.loss(batch)
        self.manual_backward(loss)
        optimizer.step()
        self.log("train_loss", loss, on_epoch=True, on_step=False, batch_size=8)


class GAN(L.LightningModule):
    """Two networks against each other, each with an optimizer of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.automatic_optimization = False
        self.generator = nn.Linear(2, INPUTS)
        self.discriminator = nn.Linear(INPUTS, 1)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        parts = (self.generator, self.discriminator)
        return [torch.optim.Adam(part.parameters(), lr=0.01) for part in parts], []

    def judge(self, points: Tensor, truth: float) -> Tensor:
        logits = self.discriminator(points)
        return binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))

    def training_step(self, batch: Pair, batch_idx: int) -> None:
        real, _ = batch
        of_generator, of_discriminator = cast("list[Any]", self.optimizers())
        made = self.generator(torch.randn(len(real), 2))
        losses = {
            "g_loss": (of_generator, lambda: self.judge(made, 1.0)),
            "d_loss": (of_discriminator, lambda: self.judge(real, 1.0) + self.judge(made.detach(), 0.0)),
        }
        for name, (optimizer, judged) in losses.items():
            self.toggle_optimizer(optimizer)
            optimizer.zero_grad()
            loss: Tensor = judged()  # type: ignore[no-untyped-call]
            self.manual_backward(loss)
            optimizer.step()
            self.untoggle_optimizer(optimizer)
            self.log(name, loss, on_epoch=True, on_step=False, batch_size=len(real))

    def validation_step(self, batch: Pair, batch_idx: int) -> None:
        self.log("val/realism", self.judge(batch[0], 1.0), batch_size=len(batch[0]))


class Unvalidated(L.LightningModule):
    """Trains, and does nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(INPUTS, 1)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def training_step(self, batch: Pair, batch_idx: int) -> Tensor:
        x, y = batch
        loss = mse_loss(self.net(x), y)
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        return loss


class NamedRegressor(Regressor):
    """Takes batches that are dicts."""

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        return mse_loss(self.net(batch["x"]), batch["y"])

    def predict_step(self, batch: dict[str, Tensor], batch_idx: int) -> Any:
        return self.net(batch["x"])


class TwiceValidated(Regressor):
    """Validates on two sets, which Lightning tells apart in the metrics' names."""

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self.log("val_loss", self.loss(batch), batch_size=8)


class LateNet(Regressor):
    """Builds its network in ``setup``, and keeps a part of it out of its checkpoints."""

    def __init__(self) -> None:
        super().__init__()
        del self.net
        self.strict_loading = False

    def setup(self, stage: str) -> None:
        if not hasattr(self, "net"):
            self.net = nn.Linear(INPUTS, 1)
            self.frozen = nn.Linear(1, 1).requires_grad_(False)  # noqa: FBT003

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        whole = super().state_dict(*args, **kwargs)
        return {name: value for name, value in whole.items() if not name.startswith("frozen")}


class Drawing(Regressor):
    """Draws into its logger when it validates."""

    def on_validation_epoch_end(self) -> None:
        experiment: Any = self.logger.experiment  # type: ignore[union-attr]
        experiment.add_scalar("mine", 1.0, self.current_epoch)


class NotANumber(Regressor):
    """Logs a metric that is no number, and one that nobody but training logs."""

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        super().validation_step(batch, batch_idx)
        self.log("val_undefined", torch.tensor(torch.nan), batch_size=8)
