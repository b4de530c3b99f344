"""Repetitions of a setting: a search that chose among them would choose the luckiest."""

import sys
from typing import Any

from hydra.core.override_parser.types import Override

from overnight.config.errors import ConfigError
from overnight.config.overrides import parse_overrides

REPETITIONS = {"seed", "fold", "split_seed"}
"""Last parts of keys whose values repeat a setting."""


def once(override: Override) -> Override:
    """Return an override of the configuration, a swept repetition with the first of its values alone.

    An experiment repeats its settings for the comparison that it makes; it can be searched nevertheless.
    """
    if not is_repeated(override):
        return override
    text = one_value(override)
    sys.stdout.write(f"{text}: a search does not choose among repetitions ({override.input_line})\n")
    (alone,) = parse_overrides([text])
    return alone


def refuse_repetition(override: Override) -> None:
    """Refuse a repetition that was typed: whoever types it for a search means something else.

    Raises:
        ConfigError: it is one, with several values.
    """
    if is_repeated(override):
        raise ConfigError(
            f"{override.input_line}: a search does not choose among repetitions, since the luckiest would "
            f"win. Needed: one value. Type for example: {one_value(override)}, and after the search "
            f"experiment=confirm study.confirms=FOLDER, which repeats the winners with fresh seeds"
        )


def is_repeated(override: Override) -> bool:
    """Tell whether an override sweeps over repetitions of the same setting."""
    return override.is_sweep_override() and override.key_or_group.rpartition(".")[2] in REPETITIONS


def one_value(override: Override) -> str:
    """Write an override with the first of its values."""
    swept: Any = override.value()
    values = override.sweep_string_iterator() if override.is_discrete_sweep() else iter([swept.start])
    return f"{override.get_key_element()}={next(values)}"
