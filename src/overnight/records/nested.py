"""Nested dicts and lists, as a configuration is."""

from collections.abc import Iterator
from typing import Any


def nodes(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each node, at any depth, with its dotted key; items of a list have their number in it."""
    yield path, node
    listed = enumerate(node) if isinstance(node, list | tuple) else ()
    for key, item in node.items() if isinstance(node, dict) else listed:
        yield from nodes(item, f"{path}.{key}" if path else str(key))


def without_keys(config: dict[str, Any], keys: tuple[str, ...], prefix: str = "") -> dict[str, Any]:
    """Return the nested dict less these dotted keys."""
    return {
        key: without_keys(value, keys, f"{prefix}{key}.") if isinstance(value, dict) else value
        for key, value in config.items()
        if f"{prefix}{key}" not in keys
    }
