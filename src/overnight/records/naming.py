"""The name of a run: what was typed for it, as a folder's name and a curve's label."""

import hashlib
import re
from collections.abc import Iterable, Sequence

LIMIT = 120
UNNAMED = frozenset(
    {"hparams_search", "task_name", "tags", "retries", "on_failure", "ckpt_path=last"}
    | {"study.question", "study.scientific", "study.nuisance", "study.confirms"}
)
"""What names the sweep, whose folder carries it, or makes no other run: keys, or keys with a value."""
LENGTH = "trainer.max_epochs"
"""Can be raised for a finished run, which then is to be found under its old name."""

FAITHFUL = re.compile(r"[\w.]+=([\w.-]+|\[[\w.-]+(,[\w.-]+)+\])", re.ASCII)
"""Overrides that no two can write alike: a plain value, or a list of at least two of them."""


def run_name(
    overrides: Sequence[str],
    unnamed: Iterable[str] = UNNAMED,
    common: Sequence[str] = (),
    absent: Sequence[str] = (),
) -> str:
    """Join the overrides, sorted, as ``lr=0.01,optimizer=sgd``; lists as ``task.sizes=256+128``.

    Characters that a path or a shell treats specially become ``-``. A name that lost something by that, or
    by the limit of 120 characters, ends in a hash of what was typed: other overrides have other names.

    Keys, or keys with a value, that are ``unnamed`` name nothing, nor do overrides that the runs of a sweep
    have in ``common``; keys of these that they lack for once are ``absent``.
    """
    typed, shared = by_key(overrides), by_key(common)
    parts = [f"{key}={value}" for key, value in sorted(typed.items()) if shared.get(key) != value]
    parts = [part for part in parts if not {part, part.partition("=")[0]} & {*unnamed}]
    parts = sorted([*parts, *(f"{key}=default" for key in absent)])
    bare = (re.sub(r"[\[\]]", "", part).replace(",", "+") for part in parts)
    name = ",".join(re.sub(r"[^A-Za-z0-9_.=+-]", "-", part) for part in bare) or "defaults"
    if len(name) <= LIMIT and all(FAITHFUL.fullmatch(part) for part in parts):
        return name
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
    return f"{name[: LIMIT - 9]}~{digest}"


def by_key(overrides: Iterable[str]) -> dict[str, str]:
    """Return the values of overrides by their keys, each in one spelling; of one key, the last counts."""
    return dict(override.lstrip("+").replace(", ", ",").partition("=")[::2] for override in overrides)
