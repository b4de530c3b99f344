"""Which values the keys of this research may have; overnight checks its own."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, Field, model_validator

from overnight.config.keys import Built, InMemoryKeys, Parts, Probability, Section, Strength, Truth, must_be

Config = dict[str, Any]

OF_CLASSES = "torch.nn.CrossEntropyLoss"  # a loss that takes numbers for probabilities
MIXING = {"mixup", "cutmix"}  # augmentations that make probabilities of labels

LENGTHS = ("epochs", "steps_per_epoch")
"""How a scheduler can be told its length besides the number of steps, which wins."""


class Model(Section):
    """conf/model; a net of another class need not have hidden layers."""

    target: Annotated[str, must_be("the class of the network", "fcnlab.nets.FCN", alias="_target_")]
    hidden_sizes: Annotated[
        list[Annotated[int, Field(ge=1)]],
        must_be("a list of whole numbers, each 1 or more (or [])", "[256,128]"),
    ] = Field(default_factory=list)


class Keys(BaseModel, extra="forbid", strict=True):
    """conf/train.yaml; a key that neither this class nor overnight has is a misspelt one."""

    SAME: ClassVar = (
        ("lr", "optimizer.lr"),
        ("lr", "scheduler.scheduler.max_lr"),
        ("weight_decay", "optimizer.weight_decay"),
        ("dropout", "model.dropout"),
        ("input_dropout", "model.input_dropout"),
        ("l1", "task.penalty.strength"),
        ("label_smoothing", "loss.train.label_smoothing"),
        ("normalization", "model.normalization"),
        ("activation.module", "model.activation"),
        ("init.std", "init.weight.std"),
        ("init.weight", "model.weight_init"),
        ("init.bias", "model.bias_init"),
        ("seed", "data.seed"),
        ("seed", "task.seed"),
        ("track_test", "data.track_test"),
        ("regression", "data.regression"),
        ("model", "task.net"),
        ("optimizer", "task.optimizer"),
        ("scheduler", "task.schedule"),
        ("loss.train", "task.loss"),
        ("loss.eval", "task.eval_loss"),
        ("metrics", "task.metrics"),
        ("augmentation", "task.augmentation"),
    )
    """Pairs of keys that name one value: a run trains with the second, and is known by the first."""

    NOTED: ClassVar = ("regression",)
    """Keys that only this class reads: nothing that is built needs to take them."""

    data: InMemoryKeys
    model: Model
    activation: Config
    init: Config
    optimizer: Built
    scheduler: Built
    loss: Config
    regression: Truth
    metrics: Parts
    normalization: Config
    regularization: Config
    augmentation: Parts
    lr: Annotated[float, must_be("a number above 0", 0.001, gt=0, allow_inf_nan=False)]
    dropout: Annotated[
        Probability | list[Probability],
        must_be("a probability, 0 or more and below 1, or a list of them", "0.5"),
    ]
    input_dropout: Annotated[Probability, must_be("a probability, 0 or more and below 1", "0.1")]
    weight_decay: Strength
    l1: Strength
    label_smoothing: Annotated[float, must_be("a share, 0 or more and below 1", 0.1, ge=0, lt=1)]

    @model_validator(mode="after")
    def _augmentation_has_images(self) -> "Keys":
        if self.augmentation and "target" in (self.data.model_extra or {}):
            raise ValueError(
                f"augmentation=[{','.join(self.augmentation)}]: a table has no images. Needed: "
                f"augmentation=none, or images. Type for example: data=synthetic"
            )
        return self

    @model_validator(mode="after")
    def _length_is_that_of_the_run(self) -> "Keys":
        horizon = self.scheduler.get("horizon") or []
        given = self.scheduler.get("scheduler") or {}
        if horizon and (own := next((key for key in (*horizon, *LENGTHS) if key in given), None)):
            raise ValueError(
                f"scheduler.scheduler.{own}={given[own]}: this scheduler gets the length of the run as "
                f"{horizon[0]}. Needed: no length of its own. Type for another length: trainer.max_epochs=20"
            )
        return self

    @model_validator(mode="after")
    def _loss_fits_the_targets(self) -> "Keys":
        loss = self.loss["train"]["_target_"]
        if self.regression and loss == OF_CLASSES:
            raise ValueError(
                f"metrics=regression with {loss}: that loss is for classes. Needed: one for numbers. Type: "
                f"loss=mse"
            )
        if self.regression and (mixing := MIXING & self.augmentation.keys()):
            raise ValueError(
                f"augmentation={mixing.pop()} with metrics=regression: it mixes labels, and numbers have "
                f"none. Needed: another augmentation. Type for example: augmentation=none"
            )
        if self.regression and self.label_smoothing:
            raise ValueError(
                f"label_smoothing={self.label_smoothing} with metrics=regression: numbers have no labels. "
                f"Needed: label_smoothing=0"
            )
        return self

    @model_validator(mode="after")
    def _one_normalization(self) -> "Keys":
        if {"batch_norm", "layer_norm"} <= self.regularization.keys():
            raise ValueError(
                "regularization has batch_norm and layer_norm: a hidden layer has one normalization. "
                "Needed: one of them. Type for example: regularization=[dropout,batch_norm]"
            )
        return self
