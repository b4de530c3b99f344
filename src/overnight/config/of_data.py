"""Values that only the data can tell, such as the number of its features.

``${of_data:in_features}`` in a configuration is what ``data.traits`` says. Where that says nothing, it is a
placeholder until the data is set up. What the data then tells is kept under ``traits_of_data``, so that a
checkpoint's module is built without the data.
"""

from collections.abc import Iterator
from typing import Any

from omegaconf import DictConfig, OmegaConf

from overnight.records.identity import nodes

TRAITS = "traits_of_data"
PLACEHOLDER = "of_data:"


def of_data(name: str, *, _root_: DictConfig) -> Any:
    """Return what the configuration says of the data, or what stands for it until the data is set up."""
    stated = OmegaConf.select(_root_, f"data.traits.{name}")
    return f"{PLACEHOLDER}{name}" if stated is None else stated


def asked(node: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield the dotted key of each placeholder in a node, and the name of the value that it asks for."""
    for key, value in nodes(node, path):
        if isinstance(value, str) and value.startswith(PLACEHOLDER):
            yield key, value.removeprefix(PLACEHOLDER)


def filled(node: Any, traits: dict[str, Any]) -> Any:
    """Return a node in which each placeholder that the traits have a value for is replaced by it."""
    if isinstance(node, dict):
        return {key: filled(value, traits) for key, value in node.items()}
    if isinstance(node, list):
        return [filled(item, traits) for item in node]
    if isinstance(node, str) and node.startswith(PLACEHOLDER):
        return traits.get(node.removeprefix(PLACEHOLDER), node)
    return node
