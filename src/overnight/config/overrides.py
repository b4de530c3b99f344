"""Overrides as Hydra's grammar reads them: what is swept, what is fixed, and how each is written."""

import re
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import OmegaConf


def as_typed(hydra: Any) -> list[str]:
    """Return the overrides of Hydra's section as they were typed, interpolations and all."""
    overrides: Any = OmegaConf.to_container(hydra.overrides.task, resolve=False)
    return list(overrides)


def parse_overrides(typed: list[str]) -> list[Override]:
    """Return the overrides in their order."""
    return list(OverridesParser.create().parse_overrides(typed))


def overrides_by_key(typed: list[str]) -> dict[str, Override]:
    """Return the overrides by their keys, signs in front of them included; of one key, the last counts."""
    return {override.get_key_element(): override for override in parse_overrides(typed)}


def texts_by_key(typed: list[str], dropped: set[str]) -> dict[str, str]:
    """Return the overrides as they were typed, by their keys without signs; of one key, the last counts.

    Keys, or keys with a value, that are ``dropped`` are left out.
    """
    texts = {override.key_or_group: str(override.input_line) for override in parse_overrides(typed)}
    return {key: text for key, text in texts.items() if dropped.isdisjoint({key, text})}


def write_override(override: Override) -> str:
    """Write an override that is not swept, in the spelling that a sweep over a grid gives it."""
    if override.is_delete():
        return str(override.input_line)
    return f"{override.get_key_element()}={override.get_value_element_as_str()}"


def write_value(text: str) -> str:
    """Write a text so that Hydra reads it as that, in quotes only where they are needed."""
    try:
        (override,) = parse_overrides([f"key={text}"])
    except HydraException:
        return quote_value(text)
    return text if override.value() == text else quote_value(text)


def quote_value(text: str) -> str:
    """Write a text in quotes; backslashes count only in front of one."""
    escaped = re.sub(r"(\\*)'", r"\1\1\'", text)
    return "'" + re.sub(r"(\\+)$", r"\1\1", escaped) + "'"
