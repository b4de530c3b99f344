"""What is searched: from Hydra's override syntax to Optuna's distributions, and from a trial to overrides."""

import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import zip_longest
from typing import Any

from hydra.core.override_parser.types import Override, ValueType
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from overnight.config.errors import ConfigError
from overnight.config.overrides import overrides_by_key, parse_overrides, write_override

Space = dict[str, BaseDistribution]

REPETITIONS = {"seed", "fold", "split_seed"}
"""Last parts of keys whose values repeat a setting: to choose among them is to choose the luckiest."""


def split(typed: list[str], prepared: list[str] | None = None) -> tuple[Space, dict[str, str]]:
    """Return what is searched, and the other overrides by their keys.

    Of one key, the last one counts; what was ``typed`` wins over what is ``prepared`` in the configuration.

    Raises:
        ConfigError: nothing is searched, or something in a way that Optuna cannot, or a typed repetition.
    """
    now, before = overrides_by_key(typed), overrides_by_key(prepared or [])
    for override in now.values():
        refuse_repetition(override)
    overrides = {key: once(override) for key, override in before.items() if key not in now} | now
    space = {key: distribution(o) for key, o in overrides.items() if o.is_sweep_override()}
    if not space:
        raise ConfigError(
            f"{' '.join(typed) or 'no override'}: nothing is searched. Needed: at least one setting with "
            f"several values. Type for example: 'lr=tag(log,interval(1e-4,1))' optimizer=sgd,adam"
        )
    return space, {key: write_override(o) for key, o in overrides.items() if key not in space}


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
    """Refuse a typed repetition: whoever types it for a search means something else (ConfigError)."""
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


def distribution(override: Override) -> BaseDistribution:
    """Return where the values of one override are drawn from; a ConfigError if that is no distribution."""
    try:
        return DISTRIBUTIONS.get(override.value_type, unsupported)(override)
    except ValueError as error:
        key = override.get_key_element()
        raise ConfigError(
            f"{override.input_line}: {' '.join(str(error).split()).rstrip('.')}. Needed: values with commas "
            f"between them, choice(...), range(...), interval(...), int(interval(...)) or "
            f"tag(log,interval(...)). Type for example: {key}=tag(log,interval(1e-4,1))"
        ) from error


def unsupported(override: Override) -> BaseDistribution:
    """Refuse what has no distribution."""
    raise ValueError(f"{override.value()} cannot be searched")


def categorical(override: Override) -> BaseDistribution:
    """Return the choices as they would be typed: Optuna takes no lists, and takes 1, 1.0 and true for one."""
    sweep: Any = override.value()
    if sweep.shuffle or sweep.tags:
        raise ValueError("choices have no order, and no tags")
    return CategoricalDistribution(tuple(dict.fromkeys(override.sweep_string_iterator())))


def ranged(override: Override) -> BaseDistribution:
    """Return the numbers of a range; as everywhere in Hydra, its end is not among them."""
    sweep: Any = override.value()
    values = list(sweep.range())
    if sweep.shuffle or not values or sweep.step < 0:
        raise ValueError("a range of at least one number, upwards, not shuffled, is needed")
    log = is_log(sweep.tags)
    if isinstance(values[0], int):
        return IntDistribution(values[0], values[-1], log=log, step=sweep.step)
    last = Decimal(str(sweep.start)) + (len(values) - 1) * Decimal(str(sweep.step))
    return FloatDistribution(float(sweep.start), float(last), log=log, step=float(sweep.step))


def interval(override: Override) -> BaseDistribution:
    """Return all numbers between two; whole ones where both ends have been made so by ``int(...)``."""
    sweep: Any = override.value()
    kind = IntDistribution if isinstance(sweep.start, int) else FloatDistribution
    return kind(sweep.start, sweep.end, log=is_log(sweep.tags))


def is_log(tags: set[str]) -> bool:
    """Tell whether the logarithm is to be uniform."""
    if tags - {"log"}:
        raise ValueError(f"unknown tag {', '.join(sorted(tags - {'log'}))}")
    return bool(tags)


DISTRIBUTIONS: dict[ValueType | None, Callable[[Override], BaseDistribution]] = {
    ValueType.CHOICE_SWEEP: categorical,
    ValueType.SIMPLE_CHOICE_SWEEP: categorical,
    ValueType.RANGE_SWEEP: ranged,
    ValueType.INTERVAL_SWEEP: interval,
}


def overrides(params: dict[str, Any], space: Space) -> list[str]:
    """Return the overrides of a trial; a number is read back as the very same number."""
    return [f"{key}={exact(params[key], drawn_from)}" for key, drawn_from in space.items()]


def exact(value: Any, drawn_from: BaseDistribution) -> str:
    """Write a value; multiples of a step as people do: 0.3, not 0.30000000000000004."""
    if isinstance(drawn_from, FloatDistribution) and drawn_from.step is not None:
        steps = round((value - drawn_from.low) / drawn_from.step)
        return str(Decimal(str(drawn_from.low)) + steps * Decimal(str(drawn_from.step)))
    return value if isinstance(value, str) else repr(value)


def described(drawn_from: BaseDistribution) -> str:
    """Write a distribution for a person, equal ones alike."""
    if isinstance(drawn_from, CategoricalDistribution):
        return ",".join(map(str, drawn_from.choices))
    assert isinstance(drawn_from, FloatDistribution | IntDistribution)
    step = f" in steps of {drawn_from.step}" if drawn_from.step else ""
    return f"{drawn_from.low} to {drawn_from.high}{step}{' (log)' if drawn_from.log else ''}"


def probes(space: Space, proposed: dict[str, Any]) -> Iterator[list[str]]:
    """Return a few lists of overrides in which every value occurs that is known before a search.

    An interval has the one number that is ``proposed`` for some trial.
    """
    columns = [[f"{key}={value}" for value in known(space[key], proposed[key])] for key in space]
    first = [column[0] for column in columns]
    for row in zip_longest(*columns):
        yield [value or default for value, default in zip(row, first, strict=True)]


def known(drawn_from: BaseDistribution, proposed: Any) -> list[str]:
    """Return all choices, or the ends of a range, or the one number that is proposed from an interval."""
    if isinstance(drawn_from, CategoricalDistribution):
        return list(map(str, drawn_from.choices))
    assert isinstance(drawn_from, FloatDistribution | IntDistribution)
    ends = [drawn_from.low, drawn_from.high] if drawn_from.step else [proposed]
    return [exact(number, drawn_from) for number in ends]
