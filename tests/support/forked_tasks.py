"""What people change in a fork of fcnlab's task. Each is a change of a few lines."""

from types import MethodType
from typing import Any

import torch
from torch import nn

from fcnlab.task import Classifier, Outputs
from overnight.training.counter_based import CounterBasedUniform


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


class TestAsValidation(Classifier):
    """Logs in a test under the names of validation."""

    __test__ = False

    def on_test_batch_end(self, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> None:
        self._seen.setdefault("val", []).append(outputs)

    def on_test_epoch_end(self) -> None:
        self.log_pass("val")


class TrainAsValidation(Classifier):
    """Logs in training under the names of validation."""

    def on_train_epoch_end(self) -> None:
        self._seen["val"] = self._seen.pop("train")
        self.log_pass("val")


class Annealed(Classifier):
    """Has sharper outputs in later epochs, in validation and test alone."""

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Outputs:
        outputs = super().validation_step(batch, batch_idx, dataloader_idx)
        sharper = outputs["logits"] * (1 + self.current_epoch)
        loss = self.eval_loss(sharper, self.target.learned(outputs["targets"]))
        return outputs | {"logits": sharper, "plain_loss": loss}


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


class LateLayers(Classifier):
    """Makes a layer in Lightning's hook for that."""

    def configure_model(self) -> None:
        if not hasattr(self, "late"):
            self.late = nn.Linear(2, 2)


class RootOfMean(Classifier):
    """Logs in validation what depends on how the samples are batched."""

    def validation_step(self, batch: Any, batch_idx: int, dataloader_idx: int = 0) -> Outputs:
        outputs = super().validation_step(batch, batch_idx, dataloader_idx)
        self.log(f"val/root_{dataloader_idx}", outputs["logits"].square().mean().sqrt())
        return outputs


class OwnOptimizer(Classifier):
    """Builds another optimizer than the one that it is given."""

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.05)


class Keeping(Classifier):
    """Keeps what is never equal to its copy."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.least, self._pair = float("nan"), (object(), 1)
