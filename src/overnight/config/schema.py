"""Every value of a composed configuration, checked once and before anything is read or built."""

import inspect
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import hydra
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from overnight.config.errors import ConfigError
from overnight.config.refusals import refused_settings
from overnight.config.spelling import one_of

Config = dict[str, Any]

Count = Annotated[int, Field(ge=1, description="a whole number, 1 or more", examples=[128])]
Natural = Annotated[int, Field(ge=0, description="a whole number, 0 or more", examples=[1])]
Strength = Annotated[
    float, Field(ge=0, allow_inf_nan=False, description="a number, 0 or more", examples=[1e-4])
]
Probability = Annotated[float, Field(ge=0, lt=1)]
Truth = Annotated[bool, Field(description="true or false", examples=["true"])]
Words = Annotated[
    list[Annotated[str, Field(min_length=1)]],
    Field(description="a list of words (or [])", examples=["[first]"]),
]


class Section(BaseModel):
    """A part of the configuration whose other keys belong to the class that it builds."""

    model_config = ConfigDict(extra="allow", strict=True)


class InMemoryKeys(Section):
    """The keys of an ``overnight.data.InMemoryData``."""

    batch_size: Count
    eval_batch_size: Count
    val_size: Count
    split_seed: Natural
    folds: Annotated[
        int, Field(ge=1, description="1 (one hold-out split) or a number of folds", examples=[5])
    ]
    fold: Natural
    shuffle: Truth

    @model_validator(mode="after")
    def _fold_exists(self) -> "InMemoryKeys":
        if self.fold >= self.folds:
            raise ValueError(
                f"data.fold={self.fold} with data.folds={self.folds}: "
                f"needed: a fold below the number of folds. Type for example: data.folds=5 data.fold=0"
            )
        return self


class Trainer(Section):
    """The arguments of Lightning's Trainer; see ``refusals`` for those that cannot be honoured."""

    max_epochs: Annotated[int, Field(ge=1, description="a whole number, 1 or more", examples=[20])]


class Study(Section):
    """What a sweep asks."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: Annotated[str, Field(description="a text", examples=["'Which optimizer?'"])]
    scientific: Words
    nuisance: Words
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


class MachineryKeys(BaseModel):
    """The keys that overnight knows; ``overnight.yaml`` has their meanings and defaults."""

    model_config = ConfigDict(extra="ignore", strict=True)

    task: Annotated[Config, Field(description="what builds a LightningModule", examples=["(a _target_)"])]
    data: Annotated[Config, Field(description="what builds a data module", examples=["(a _target_)"])]
    trainer: Trainer
    callbacks: Annotated[Config, Field(description="a group of callbacks", examples=["none"])]
    logger: Annotated[Config, Field(description="a group of loggers", examples=["none"])]
    metric: Annotated[
        str | None, Field(min_length=1, description="a name that is logged, or null", examples=["val/loss"])
    ]
    mode: Annotated[Literal["max", "min"] | None, Field(description="max or min", examples=["min"])]
    metric_share: Truth
    schema_: Annotated[
        str | None, Field(alias="schema", description="a dotted path, or null", examples=["null"])
    ]
    cosmetic: Words
    seed: Annotated[
        int, Field(ge=0, lt=2**32, description="a whole number from 0 to 4294967295", examples=[1])
    ]
    ckpt_path: Annotated[
        str | None, Field(description="the path of a checkpoint, or last", examples=["null"])
    ]
    init_from: Annotated[
        str | None, Field(description="the path of a checkpoint, or null", examples=["null"])
    ]
    task_name: Annotated[
        str, Field(min_length=1, pattern=r"^[^/\\]+$", description="a folder's name", examples=["mine"])
    ]
    tags: Annotated[list[str], Field(description="a list of words", examples=["[first,try]"])]
    retries: Natural
    on_failure: Annotated[
        Literal["continue", "raise"], Field(description="continue or raise", examples=["raise"])
    ]
    track_test: Truth
    study: Study


def check(config: Config) -> None:
    """Check types, ranges and names of all values, and that what is to be built can take its arguments.

    The project's own keys are those of the pydantic model that ``schema`` names; without one, any are taken.

    Raises:
        ConfigError: names all keys that are wrong.
    """
    own = hydra.utils.get_class(config["schema"]) if config.get("schema") else None
    complaints = [*invalid(MachineryKeys, config), *(invalid_keys_of(own, config) if own else ())]
    complaints = complaints or [*unknown_arguments(config), *refused_settings(config)]
    if complaints:
        raise ConfigError("\n".join(dict.fromkeys(complaints)))


def invalid_keys_of(own: Any, config: Config) -> list[str]:
    """Say which of the project's own keys are wrong or misspelt, and which two names of a value disagree."""
    shared = {field.alias or name for name, field in MachineryKeys.model_fields.items()}
    mine = {key: value for key, value in config.items() if key in own.model_fields or key not in shared}
    known = sorted(shared | own.model_fields.keys())
    return [*invalid(own, mine, known), *contradictions(getattr(own, "SAME", ()), config)]


def invalid(model: type[BaseModel], config: Config, known: list[str] | None = None) -> list[str]:
    """Return what pydantic finds wrong, each in one sentence; ``known`` are the right names at the top."""
    try:
        model.model_validate(config)
    except ValidationError as error:
        return [explain(model, dict(each), config, known or []) for each in error.errors()]
    return []


def explain(model: type[BaseModel], error: dict[str, Any], config: Config, known: list[str]) -> str:
    """Say of one of pydantic's errors what was given, what is needed and what to type."""
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "extra_forbidden":
        *section, _ = map(str, error["loc"])
        owner: Any = model.model_fields[section[0]].annotation if section else None
        return misspelt(".".join(map(str, error["loc"])), list(owner.model_fields) if owner else known)
    keys, field = field_at(model, error["loc"])
    given: Any = config
    for key in keys:
        given = given.get(key, "(nothing)")
    name = ".".join(keys)
    given = "null" if given is None else given
    return f"{name}={given}: needed: {field.description}. Type for example: {name}={field.examples[0]}"


def field_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> tuple[list[str], Any]:
    """Return the keys that lead to a value of the schema, and what the schema says of it."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    field: Any = fields[str(loc[0])]
    if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
        inner = field.annotation.model_fields.get(str(loc[1])) if len(loc) > 1 else None
        keys = [str(key) for key in loc[:2]]
        return keys, inner or Field(description=f"the section {keys[0]}", examples=["(a group's option)"])
    return [str(loc[0])], field


def contradictions(same: tuple[tuple[str, str], ...], config: Config) -> Iterator[str]:
    """Say which pairs of keys that are two names of one value have two different ones."""
    for name, other in same:
        one, two = at(config, name), at(config, other)
        if one is not two and one != two and two is not None:
            yield (
                f"{name}={one} and {other}={two}: these are two names of one value. Needed: one of them. "
                f"Type for example: {name}={two}"
            )


def at(config: Config, dotted: str) -> Any:
    """Return the value under a dotted key, None where there is none."""
    value: Any = config
    for key in dotted.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def misspelt(key: str, known: list[str]) -> str:
    """Say that there is no such key, and which one may have been meant."""
    return f"{key}: there is no such key. {one_of(key.rpartition('.')[2], known)}"


def unknown_arguments(node: Any, path: str = "") -> Iterator[str]:
    """Say which keys are not arguments of what their section builds, at any depth."""
    if not isinstance(node, dict):
        return
    if "_target_" in node:
        try:
            parameters = inspect.signature(hydra.utils.get_object(node["_target_"])).parameters
        except (ImportError, ValueError) as error:
            yield f"{path}_target_={node['_target_']}: cannot be found ({' '.join(str(error).split())})"
            return
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        given = {key for key in node if not key.startswith("_")}
        unknown = () if takes_any else sorted(given - parameters.keys())
        yield from (misspelt(f"{path}{key}", list(parameters)) for key in unknown)
    for key, value in node.items():
        yield from unknown_arguments(value, f"{path}{key}.")
