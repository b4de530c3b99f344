"""A sweep's winners, run again with fresh seeds.

The best of many was lucky, too. New runs, which take no part in any choice, show how good the winners are.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from overnight.config.errors import ConfigError, counted, needed
from overnight.config.folders import find_sweep
from overnight.config.overrides import parse_overrides, quote_value, texts_by_key
from overnight.records.identity import fingerprint, is_cosmetic
from overnight.records.record import read_record
from overnight.study.arms import winners
from overnight.study.design import Design, design
from overnight.study.frames import SETTING, load, settings

NOT_REPEATED = {"seed", "ckpt_path=last", "study.confirms", "study.scientific", "task_name"}
"""What was typed for a winner and is not for its repetition: keys, or keys with a value."""

PRUNING = ("pruning", "callbacks.pruning")

EXAMPLE = "Type for example: python train.py experiment=confirm study.confirms=outputs/sweeps/optimizers"

Config = dict[str, Any]


class Confirmation(NamedTuple):
    """Which runs of a sweep are run again."""

    plan: Design  # the sweep's design
    best: pd.DataFrame  # one run of each arm's chosen setting; the best arm first
    seeds: list[int]  # none of them is one of the sweep's


def chosen(directory: str | None, scientific: Sequence[str], arms: int | None, seeds: int) -> Confirmation:
    """Choose the winners of a sweep, all or so many ``arms``, the best first; and so many ``seeds`` for each.

    The question is what the sweep declares, or else ``scientific``.

    Raises:
        ConfigError: no sweep is given, or none of its runs completed, or the numbers are no counts.
        FileNotFoundError: there is no such folder.
    """
    for key, value in (("seeds", seeds), ("arms", seeds if arms is None else arms)):
        needed(f"hydra.sweeper.{key}", value, lambda number: number > 0, "a whole number, 1 or more", 5)
    if not directory:
        raise ConfigError(f"study.confirms=null: needed: the folder of a sweep. {EXAMPLE}")
    runs = load(find_sweep(Path(directory)))
    if not (runs["status"] == "completed").any():
        raise ConfigError(
            f"study.confirms={directory}: none of its {counted(len(runs), 'run')} completed. "
            f"Needed: a sweep with winners. {EXAMPLE}"
        )
    plan = design(runs, tuple(scientific))
    best = winners(runs, plan).drop_duplicates("arm").head(arms or len(runs))
    if best.empty:
        raise ConfigError(
            f"study.confirms={directory}: its runs have no metric that chooses winners. "
            f"Needed: a sweep with one. Type for example: metric=val_loss mode=min"
        )
    return Confirmation(plan, best, fresh(runs["seed"].dropna(), seeds))


def fresh(used: Iterable[float], number: int) -> list[int]:
    """Return the first seeds that were not used; the same ones at every call, so that a sweep can go on."""
    taken = {int(seed) for seed in used}
    return list(islice((seed for seed in count() if seed not in taken), number))


def same_configuration(confirmation: Confirmation, compose: Callable[[list[str]], Config]) -> None:
    """Refuse winners whose configuration is another one by now, since conf/ was changed (ConfigError)."""
    for run in confirmation.best.to_dict("records"):
        now = compose([*texts_by_key(run["overrides"], {"ckpt_path=last"}).values()])
        if fingerprint(now) != run["fingerprint"]:
            raise ConfigError(
                f"{run['path']} was run with another configuration than what was typed for it makes now: "
                f"{'; '.join(_differences(Path(run['path']), now))}. Needed: the files in conf/ as they were "
                f"(its run.json names the commit), or the sweep anew. Type: {run['command']}"
            )


def _differences(directory: Path, now: Config) -> list[str]:
    record = read_record(directory) or {"config": {}, "interpolated": []}
    old, new = (dict(settings(config, record["interpolated"])) for config in (record["config"], now))
    return [
        f"{key}: recorded {old.get(key, 'nothing')}, now {new.get(key, 'nothing')}"
        for key in dict.fromkeys([*old, *new])
        if not is_cosmetic(key, now["cosmetic"]) and old.get(key) != new.get(key)
    ]


def unpruned(overrides: dict[str, str]) -> dict[str, str]:
    """Return overrides without pruning: with it, only seeds that begin well would come to their end."""
    return {key: text for key, text in overrides.items() if not key.startswith(PRUNING)}


def seeded(confirmation: Confirmation, task_name: str, typed: list[str]) -> list[list[str]]:
    """Return the overrides of all runs: what was typed for each winner, less what told its replicates apart.

    What was ``typed`` for this sweep wins.

    Raises:
        ConfigError: several values of something were typed, or a seed, or what the winners differ in.
    """
    plan = confirmation.plan
    scientific = [key.removesuffix(SETTING) for key in plan.scientific]
    for override in parse_overrides(typed):
        if override.is_sweep_override() or override.key_or_group in ("seed", *scientific):
            raise ConfigError(
                f"{override.input_line}: needed: one value for all winners, none for seed (they get seeds "
                f"that the sweep did not use), and none for what they differ in ({', '.join(scientific)}). "
                f"Type for example: trainer.max_epochs=20"
            )
    own = [
        f"study.scientific=[{','.join(scientific)}]",
        f"task_name={quote_value(task_name)}",
        *(("data.folds=1", "data.fold=0") if "data.fold" in plan.replicates else ()),
    ]
    changes = texts_by_key(own, set()) | texts_by_key(typed, {"experiment"})
    dropped = NOT_REPEATED | {*plan.replicates}
    return [
        [*(unpruned(texts_by_key(winner, dropped)) | changes | {"seed": f"seed={seed}"}).values()]
        for winner in confirmation.best["overrides"]
        for seed in confirmation.seeds
    ]
