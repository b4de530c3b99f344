"""The name of a run: what was typed for it, as a folder's name and a curve's label."""

import hashlib
import re

LIMIT = 120
UNNAMED = frozenset(
    {"experiment", "hparams_search", "task_name", "tags", "retries", "on_failure", "ckpt_path=last"}
    | {"study.question", "study.scientific", "study.nuisance", "study.confirms"}
)
"""What names the sweep, whose folder carries it, or makes no other run: keys, or keys with a value."""

FAITHFUL = re.compile(r"[\w.]+=([\w.-]+|\[[\w.-]+(,[\w.-]+)+\])", re.ASCII)
"""Overrides that no two can write alike: a plain value, or a list of at least two of them."""


def run_name(overrides: list[str], unnamed: frozenset[str] = UNNAMED) -> str:
    """Join the overrides, sorted, as ``lr=0.01,optimizer=sgd``; lists as ``task.sizes=256+128``.

    Characters that a path or a shell treats specially become ``-``. A name that lost something by that, or
    by the limit of 120 characters, ends in a hash of what was typed: other overrides have other names.
    """
    typed = dict(override.lstrip("+").replace(", ", ",").partition("=")[::2] for override in overrides)
    parts = [f"{key}={value}" for key, value in sorted(typed.items())]
    parts = [part for part in parts if unnamed.isdisjoint({part, part.partition("=")[0]})]
    bare = (re.sub(r"[\[\]]", "", part).replace(",", "+") for part in parts)
    name = ",".join(re.sub(r"[^A-Za-z0-9_.=+-]", "-", part) for part in bare) or "defaults"
    if len(name) <= LIMIT and all(FAITHFUL.fullmatch(part) for part in parts):
        return name
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
    return f"{name[: LIMIT - 9]}~{digest}"
