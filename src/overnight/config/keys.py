"""The keys that overnight knows, and which values each may have; ``overnight.yaml`` has their meanings."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from overnight.records.metric import OWN, is_of_test


def must_be(what: str, example: Any, **bounds: Any) -> Any:
    """Return pydantic's field of a value: what is needed, for example which, and within which bounds."""
    return Field(description=what, examples=[example], **bounds)


Count = Annotated[int, must_be("a whole number, 1 or more", 128, ge=1)]
Part = Annotated[
    Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)],
    must_be("a whole number of samples, 1 or more, or a share of them, above 0 and below 1", 0.1),
]
Natural = Annotated[int, must_be("a whole number, 0 or more", 1, ge=0)]
Strength = Annotated[float, must_be("a number, 0 or more", 1e-4, ge=0, allow_inf_nan=False)]
Written = BeforeValidator(lambda value: str(value) if type(value) in {int, float} else value)
"""Hydra reads a name such as 2026 as a number."""
Probability = Annotated[float, Field(ge=0, lt=1)]
Truth = Annotated[bool, must_be("true or false", "true")]
Words = Annotated[
    list[Annotated[str, Field(min_length=1)]], must_be("a list of words (or [])", "[first,second]")
]


def with_target(node: dict[str, Any]) -> dict[str, Any]:
    """Refuse a section that says nothing of what it is to build."""
    if "_target_" not in node:
        raise PydanticCustomError("target", "there is no _target_")
    return node


FOLDER = r"^(\.*[^./\\][^/\\]*|\.{3,})$"
"""The name of a folder: neither . nor .., and no path."""
OPTION = "(an option of the group, whose file has a _target_)"
AS_OPTION = "under defaults, which choose options: - override /{}: {}"
Targeted = Annotated[dict[str, Any], AfterValidator(with_target)]
Built = Annotated[Targeted, must_be("a section with a _target_", OPTION)]
Parts = Annotated[dict[str, Targeted | None], must_be("parts by their names, each with a _target_", OPTION)]


class Section(BaseModel, extra="allow", strict=True):
    """A part of the configuration whose other keys belong to the class that it builds."""


class InMemoryKeys(Section):
    """The keys of an ``overnight.data.InMemoryData``."""

    batch_size: Count
    eval_batch_size: Count
    val_size: Part
    split_seed: Natural
    folds: Annotated[int, must_be("1 (one hold-out split) or a number of folds", 5, ge=1)]
    fold: Natural
    shuffle: Truth

    @model_validator(mode="after")
    def _fold_exists(self) -> Self:
        if self.fold >= self.folds:
            raise ValueError(
                f"data.fold={self.fold} with data.folds={self.folds}: "
                f"needed: a fold below the number of folds. Type for example: data.folds=5 data.fold=0"
            )
        return self


class Trainer(Section):
    """The arguments of Lightning's Trainer; see ``refusals`` for those that cannot be honoured."""

    max_epochs: Annotated[int, must_be("a whole number, 1 or more", 20, ge=1)]


class Study(Section, extra="forbid"):
    """What a sweep asks."""

    question: Annotated[str, must_be("a text", "'Which optimizer?'")]
    scientific: Words
    nuisance: Words
    confirms: Annotated[str | None, must_be("the folder of a sweep, or null", "outputs/sweeps/init")]

    @model_validator(mode="after")
    def _parts_differ(self) -> Self:
        if both := sorted({*self.scientific} & {*self.nuisance}):
            raise ValueError(
                f"study.scientific and study.nuisance both have {', '.join(both)}: needed: each setting "
                f"in one of them. Type for example: study.scientific=[optimizer] study.nuisance=[lr]"
            )
        return self


class MachineryKeys(BaseModel, extra="ignore", strict=True):
    """All of them."""

    task: Built
    data: Built
    trainer: Trainer
    callbacks: Parts
    logger: Parts
    metric: Annotated[str | None, must_be("a name that is logged, or null", "val/loss", min_length=1)]
    mode: Annotated[Literal["max", "min"] | None, must_be("max or min", "min")]
    metric_share: Truth
    schema_: Annotated[str | None, must_be("a dotted path, or null", "null", alias="schema")]
    cosmetic: Words
    seed: Annotated[int, must_be("a whole number from 0 to 4294967295", 1, ge=0, lt=2**32)]
    ckpt_path: Annotated[str | None, must_be("the path of a checkpoint, or last", "null")]
    init_from: Annotated[str | None, must_be("the path of a checkpoint, or null", "null")]
    task_name: Annotated[str, Written, must_be("a folder's name", "mine", pattern=FOLDER)]
    tags: Annotated[list[Annotated[str, Written]], must_be("a list of words", "[first,try]")]
    retries: Natural
    on_failure: Annotated[Literal["continue", "raise"], must_be("continue or raise", "raise")]
    track_test: Truth
    study: Study

    @model_validator(mode="after")
    def _metric_may_choose(self) -> Self:
        metric, mode = self.metric, self.mode
        if metric and is_of_test(metric):
            raise ValueError(
                f"metric={metric}: the test set chooses nothing here, or its result would be too good. "
                f"Needed: a metric of validation. Type for example: metric={re.sub('test', 'val', metric)}"
            )
        if metric in OWN:
            raise ValueError(
                f"metric={metric}: this is a column of every history, and no metric. Needed: a metric of "
                f"validation. Type for example: metric=val/loss mode=min"
            )
        if bool(metric) != bool(mode):
            raise ValueError(
                f"metric={metric or 'null'} with mode={mode or 'null'}: needed: both, or neither. Type: "
                f"metric={metric or 'val/loss'} mode=max if more of it is better, mode=min if less; or "
                f"metric=null mode=null"
            )
        return self
