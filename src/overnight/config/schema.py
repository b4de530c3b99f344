"""Every value of a composed configuration, checked once and before anything is read or built."""

import inspect
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

import hydra
from pydantic import BaseModel, Field, ValidationError

from overnight.config.errors import ConfigError, one_of
from overnight.config.habits import HABITS
from overnight.config.keys import AS_OPTION, OPTION, MachineryKeys, Section
from overnight.config.lookup import why_not_found
from overnight.config.refusals import BY_STEP, CALLBACKS, CHECKPOINTS, OF_STEPS, TRAINER, Refusals

Config = dict[str, Any]

MISSPELT = 3
"""Keys of a section; of more, it is the class that is not as it should be."""


def check(config: Config, *, built: bool = True) -> None:
    """Check types, ranges and names of all resolved values, and that what is built can take its arguments.

    The project's own keys are those of the pydantic model that ``schema`` names; without one, any are taken.
    If not ``built``, the classes of what is to be built are not looked at: to import them takes seconds.

    Raises:
        ConfigError: names all keys that are wrong.
    """
    own = hydra.utils.get_class(config["schema"]) if config.get("schema") else None
    complaints = [*invalid(MachineryKeys, config), *(invalid_keys_of(own, config) if own else ())]
    complaints = complaints or [
        *(unknown_arguments(config, {other for _, other in getattr(own, "SAME", ())}) if built else ()),
        *refused_settings(config),
        *(refused_callbacks(config) if built else ()),
    ]
    if complaints:
        raise ConfigError("\n".join(dict.fromkeys(complaints)))


def invalid_keys_of(own: Any, config: Config) -> Iterator[str]:
    """Say which of the project's own keys are wrong or misspelt, and which two names of a value disagree."""
    shared = {field.alias or name for name, field in MachineryKeys.model_fields.items()}
    mine = {key: value for key, value in config.items() if key in own.model_fields or key not in shared}
    yield from invalid(own, mine, sorted(shared | own.model_fields.keys()))
    for name, other in getattr(own, "SAME", ()):
        if (value := at(config, other)) is not None:
            yield from contradiction(name, at(config, name), other, value)


def invalid(
    model: type[BaseModel], config: Config, known: Sequence[str] = (), section: str = ""
) -> Iterator[str]:
    """Say what pydantic finds wrong, each in one sentence; ``known`` are the right names in a section."""
    try:
        model.model_validate(config)
    except ValidationError as error:
        yield from (explain(model, dict(each), config, known, section) for each in error.errors())


def explain(
    model: type[BaseModel], error: dict[str, Any], config: Config, known: Sequence[str], path: str
) -> str:
    """Say of one of pydantic's errors what was given, what is needed and what to type."""
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    keys = [str(key) for key in error["loc"]]
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    field: Any = fields.get(keys[0])
    section = field.annotation if field else None
    of_section = section.model_fields if isinstance(section, type) and issubclass(section, Section) else {}
    inner = {field.alias or name: field for name, field in of_section.items()}
    if error["type"] == "extra_forbidden":
        return misspelt(".".join(keys), inner or known)
    del keys[2 if inner else 1 :]
    if inner:
        whole = Field(description=f"the section {keys[0]}", examples=["(a group's option)"])
        field = inner[keys[1]] if keys[1:] else whole
    given, name = at(config, ".".join(keys), "(nothing)"), path + ".".join(keys)
    given = "null" if given is None else given
    if isinstance(given, str) and field.examples[0] == OPTION:
        needed = f"{field.description}; or in a file, {AS_OPTION.format(name, given)}"
        return f"{name}={given}: needed: {needed}"
    return f"{name}={given}: needed: {field.description}. Type for example: {name}={field.examples[0]}"


def at(config: Config, dotted: str, default: Any = None) -> Any:
    """Return the value under a dotted key."""
    value: Any = config
    for key in dotted.split("."):
        value = value.get(key, default) if isinstance(value, dict) else default
    return value


def contradiction(name: str, one: Any, other: str, two: Any) -> Iterator[str]:
    """Say so if two keys that are two names of one value have two different ones."""
    if one is not two and one != two:
        example = f"Type for example: {name}={two}"
        if isinstance(two, dict | list):
            example = f"In the file of an option, write {other.rpartition('.')[2]}: ${{{name}}}"
        yield (
            f"{name}={one} and {other}={two}: these are two names of one value. Needed: {name} alone, which "
            f"{other} follows. {example}"
        )


def misspelt(key: str, known: Iterable[str]) -> str:
    """Say that there is no such key, and which one may have been meant."""
    return f"{key}: there is no such key. {HABITS.get(key) or one_of(key.rpartition('.')[2], known)}"


def unknown_arguments(node: Any, copies: Container[str], path: str = "") -> Iterator[str]:
    """Say which keys are not arguments of what their section builds, at any depth.

    Args:
        node: a section.
        copies: dotted keys of sections that repeat others, in which all is told.
        path: of the section, with a dot at its end.
    """
    if not isinstance(node, dict) or path[:-1] in copies:
        return
    if "_target_" in node:
        try:
            parameters = parameters_of(hydra.utils.get_object(node["_target_"]))
        except (ImportError, ValueError):
            yield f"{path}_target_={node['_target_']}: {why_not_found(node['_target_'])}"
            return
        takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
        given = {key for key in node if not key.startswith("_")}
        unknown = () if takes_any else sorted(given - parameters.keys())
        if len(unknown) > MISSPELT:
            yield (
                f"{path}_target_={node['_target_']}: it does not take {', '.join(unknown)}. Needed: an "
                f"__init__ with these, or with **settings that it passes on to its base"
            )
            return
        for key in unknown:
            said = misspelt(f"{path}{key}", parameters)
            yield said if "Did you mean" in said else f"{said}. To leave it out, type: ~{path}{key}"
    for key, value in node.items():
        yield from unknown_arguments(value, copies, f"{path}{key}.")


def parameters_of(thing: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Return the parameters of a class or a function; of what does not tell them, as much in C, any."""
    try:
        return inspect.signature(thing).parameters
    except ValueError:
        return inspect.signature(anything).parameters


def anything(**_: Any) -> None:
    """Take any argument."""


def refused_settings(config: Config) -> Iterator[str]:
    """Say which settings of the Trainer cannot be honoured, why, and what to type instead."""
    trainer = config["trainer"]
    yield from refused(trainer, TRAINER, "trainer")
    floors = [key for key in ("min_epochs", "min_steps") if trainer.get(key)]
    if floors and (trainer.get("max_steps") or -1) > 0:
        yield (
            f"trainer.max_steps={trainer['max_steps']} with trainer.{floors[0]}={trainer[floors[0]]}: the "
            f"weights that the run ends with would not be validated. Needed: one of them"
        )
    if trainer.get("gradient_clip_val") and "mixed" in str(trainer.get("precision")):
        for key, node in config.items():
            if isinstance(node, dict) and node.get("fused"):
                yield (
                    f"trainer.gradient_clip_val={trainer['gradient_clip_val']} with "
                    f"trainer.precision={trainer['precision']}: no fused optimizer can do both. "
                    f"Type: {key}.fused=false"
                )


def refused_callbacks(config: Config) -> Iterator[str]:
    """Say what of the callbacks cannot be honoured; a subclass is refused as its parent is."""
    for path, callback in ((f"callbacks.{name}", part) for name, part in config["callbacks"].items() if part):
        target = hydra.utils.get_object(callback["_target_"])
        kinds = {kind.__name__ for kind in getattr(target, "__mro__", ())}
        yield from (
            f"{path}._target_={callback['_target_']}: {CALLBACKS[kind]}" for kind in CALLBACKS.keys() & kinds
        )
        if "LastCheckpoint" in kinds:
            yield from refused(callback, CHECKPOINTS, path)
        if "BestCheckpoint" in kinds:
            for key, name in (("monitor", "metric"), ("mode", "mode")):
                yield from contradiction(name, config[name], f"{path}.{key}", callback.get(key))
        by_step = kinds & OF_STEPS and callback.get("logging_interval", "step") == "step"
        if by_step and not config["trainer"].get("log_every_n_steps", 50):
            yield f"{path}._target_={callback['_target_']}: {BY_STEP}"


def refused(section: Config, refusals: Refusals, path: str) -> Iterator[str]:
    """Say which keys of a section have a value that cannot be honoured."""
    for key, (honoured, why) in refusals.items():
        if key in section and not honoured(section[key]):
            yield f"{path}.{key}={section[key]}: {why}"
