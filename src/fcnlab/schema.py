"""Every value of a composed configuration, checked once and before anything is read or built."""

import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import hydra
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fcnlab.spelling import one_of

Config = dict[str, Any]


class ConfigError(ValueError):
    """A value that cannot be used; the message says what was given, what is needed and what to type."""


Count = Annotated[int, Field(ge=1, description="a whole number, 1 or more", examples=[128])]
Seed = Annotated[int, Field(ge=0, description="a whole number, 0 or more", examples=[1])]
Strength = Annotated[
    float, Field(ge=0, allow_inf_nan=False, description="a number, 0 or more", examples=[1e-4])
]
Probability = Annotated[float, Field(ge=0, lt=1)]


class Section(BaseModel):
    """A part of the configuration whose other keys belong to the class that it builds."""

    model_config = ConfigDict(extra="allow", strict=True)


class Model(Section):
    """conf/model."""

    hidden_sizes: Annotated[
        list[Annotated[int, Field(ge=1)]],
        Field(description="a list of whole numbers, each 1 or more (or [])", examples=["[256,128]"]),
    ]


class Data(Section):
    """conf/data."""

    batch_size: Count
    eval_batch_size: Count
    val_size: Annotated[
        int, Field(ge=1, lt=60_000, description="a whole number, 1 or more and below 60,000", examples=[6000])
    ]
    split_seed: Seed
    folds: Annotated[
        int, Field(ge=1, description="1 (one hold-out split) or a number of folds", examples=[5])
    ]
    fold: Annotated[int, Field(ge=0, description="a whole number, 0 or more", examples=[0])]
    shuffle: Annotated[bool, Field(description="true or false", examples=["true"])]

    @model_validator(mode="after")
    def _fold_exists(self) -> "Data":
        if self.fold >= self.folds:
            raise ValueError(
                f"data.fold={self.fold} with data.folds={self.folds}: "
                f"needed: a fold below the number of folds. Type for example: data.folds=5 data.fold=0"
            )
        return self


class Trainer(Section):
    """conf/trainer."""

    max_epochs: Annotated[int, Field(ge=1, description="a whole number, 1 or more", examples=[20])]


Keys = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    Field(description="a list of settings (or [])", examples=["[optimizer]"]),
]


class Study(Section):
    """What a sweep asks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Annotated[str, Field(description="a text", examples=["'Which optimizer?'"])]
    scientific: Keys
    nuisance: Keys
    confirms: Annotated[
        str | None, Field(description="the folder of a sweep, or null", examples=["outputs/sweeps/init"])
    ]

    @model_validator(mode="after")
    def _parts_differ(self) -> "Study":
        if both := sorted({*self.scientific} & {*self.nuisance}):
            raise ValueError(
                f"study.scientific and study.nuisance both have {', '.join(both)}: needed: each setting "
                f"in one of them. Type for example: study.scientific=[optimizer] study.nuisance=[lr]"
            )
        return self


class Run(BaseModel):
    """conf/train.yaml; a key that it does not have is a misspelt one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    data: Data
    model: Model
    trainer: Trainer
    activation: Config
    init: Config
    optimizer: Config
    scheduler: Config
    loss: Config
    callbacks: Config
    logger: Config
    normalization: Config
    regularization: Config
    task: Config
    study: Study
    task_name: Annotated[
        str, Field(min_length=1, pattern=r"^[^/\\]+$", description="a folder's name", examples=["mine"])
    ]
    tags: Annotated[list[str], Field(description="a list of words", examples=["[first,try]"])]
    seed: Seed
    lr: Annotated[float, Field(gt=0, allow_inf_nan=False, description="a number above 0", examples=[0.001])]
    ckpt_path: Annotated[
        str | None, Field(description="the path of a checkpoint, or last", examples=["null"])
    ]
    retries: Annotated[int, Field(ge=0, description="a whole number, 0 or more", examples=[1])]
    on_failure: Annotated[
        Literal["continue", "raise"], Field(description="continue or raise", examples=["raise"])
    ]
    track_test: Annotated[bool, Field(description="true or false", examples=["true"])]
    dropout: Annotated[
        Probability | list[Probability],
        Field(description="a probability, 0 or more and below 1, or a list of them", examples=["0.5"]),
    ]
    weight_decay: Strength
    l1: Strength
    label_smoothing: Annotated[
        float, Field(ge=0, lt=1, description="a share, 0 or more and below 1", examples=[0.1])
    ]


def check(config: Config) -> None:
    """Check types, ranges and names of all values, and that what is to be built can take its arguments.

    Raises:
        ConfigError: names all keys that are wrong.
    """
    try:
        Run.model_validate(config)
    except ValidationError as error:
        raise ConfigError(
            "\n".join(dict.fromkeys(explain(dict(e), config) for e in error.errors()))
        ) from None
    complaints = list(unknown_arguments(config))
    if complaints:
        raise ConfigError("\n".join(complaints))


def needed(name: str, value: Any, good: Callable[[Any], bool], what: str, example: float) -> None:
    """Refuse a number that is not what is needed; it must be a whole one if the example is.

    Raises:
        ConfigError: it is not.
    """
    if not (isinstance(value, int if isinstance(example, int) else int | float) and good(value)):
        raise ConfigError(f"{name}={value}: needed: {what}. Type for example: {name}={example}")


def explain(error: dict[str, Any], config: Config) -> str:
    """Say of one of pydantic's errors what was given, what is needed and what to type."""
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "extra_forbidden":
        *section, _ = map(str, error["loc"])
        owner: Any = Run.model_fields[section[0]].annotation if section else Run
        return misspelt(".".join(map(str, error["loc"])), list(owner.model_fields))
    keys, field = field_at(error["loc"])
    given: Any = config
    for key in keys:
        given = given.get(key, "(nothing)")
    name = ".".join(keys)
    given = "null" if given is None else given
    return f"{name}={given}: needed: {field.description}. Type for example: {name}={field.examples[0]}"


def field_at(loc: tuple[int | str, ...]) -> tuple[list[str], Any]:
    """Return the keys that lead to a value of the schema, and what the schema says of it."""
    field: Any = Run.model_fields[str(loc[0])]
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section) and len(loc) > 1:
        return [str(loc[0]), str(loc[1])], field.annotation.model_fields[str(loc[1])]
    return [str(loc[0])], field


def misspelt(key: str, known: list[str]) -> str:
    """Say that there is no such key, and which one may have been meant."""
    return f"{key}: there is no such key. {one_of(key.rpartition('.')[2], known)}"


def unknown_arguments(node: Any, path: str = "") -> Iterator[str]:
    """Say which keys are not arguments of what their section builds, at any depth."""
    if not isinstance(node, dict):
        return
    if "_target_" in node:
        parameters = inspect.signature(hydra.utils.get_object(node["_target_"])).parameters
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        given = {key for key in node if not key.startswith("_")}
        unknown = () if takes_any else sorted(given - parameters.keys())
        yield from (misspelt(f"{path}{key}", list(parameters)) for key in unknown)
    for key, value in node.items():
        yield from unknown_arguments(value, f"{path}{key}.")
