"""Hyperparameters that were set and that nothing takes: a record that names them would be untrue."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from overnight.config import folders
from overnight.config.errors import ConfigError, one_of
from overnight.config.keys import MachineryKeys
from overnight.config.overrides import as_typed
from overnight.config.schema import at
from overnight.records.identity import nodes

Config = dict[str, Any]

MACHINERY = {field.alias or name for name, field in MachineryKeys.model_fields.items()}
KEY = re.compile(r"\w[\w.]*")
"""In a text with an interpolation every word may be a key: a resolver has several, and some are relative."""


def refuse_unused(config: DictConfig, hydra_config: Any) -> None:
    """Refuse hyperparameters that were set, and to which nothing that is built refers by an interpolation.

    So is a metric that was typed without its mode, if a file has a mode for another metric. ``config`` is not
    resolved; a ConfigError names all that is wrong.
    """
    raw: Any = OmegaConf.to_container(config, resolve=False)
    refuse_unasked(raw, {*hydra_config.runtime.choices})
    main = main_config(folders.find_config(str(hydra_config.job.config_name)))
    choices = dict(hydra_config.runtime.choices)
    typed = {re.split(r"[=.@/]", text.lstrip("+~"), maxsplit=1)[0] for text in as_typed(hydra_config)}
    refuse_undirected(raw, main, typed)
    changed = {key for key, value in main.items() if value != "???" and key in raw and raw[key] != value}
    chosen = {group for group, option in main["defaults"].items() if choices.get(group, option) != option}
    given = typed | changed | chosen
    used = {path.partition(".")[0] for path in references(raw)}
    if unused := sorted(given & hyperparameters(raw, choices, main) - used):
        raise ConfigError("\n".join(complaint(key, choices, main) for key in unused))


def refuse_unasked(raw: Config, groups: set[str]) -> None:
    """Refuse a study of neither group nor key, as its report would after the training (ConfigError)."""
    study = raw.get("study") or {}
    known = {key for key in map(str, {*raw, *groups} - {"hydra"}) if key.isidentifier()}
    for part in ("scientific", "nuisance"):
        for word in study.get(part) or ():
            if str(word).partition(".")[0] not in known:
                raise ConfigError(f"study.{part}: {word} is neither a group nor a key. {one_of(word, known)}")


def refuse_undirected(raw: Config, main: Config, overrides: set[str]) -> None:
    """Refuse a typed metric with a mode that an option's file states for another one (ConfigError)."""
    metric, mode = raw["metric"], raw["mode"]
    of_an_option = mode in {"max", "min"} and mode != main.get("mode")
    if metric and of_an_option and "metric" in overrides and "mode" not in overrides:
        raise ConfigError(
            f"metric={metric}: mode={mode} is stated for another metric. Needed: which way of this one is "
            f"better. Type: metric={metric} mode=max, or mode=min"
        )


@cache
def main_config(path: Path) -> Config:
    """Return the main configuration as its file has it, with its defaults as a dict of groups and options."""
    config: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    groups = [entry for entry in config.get("defaults", []) if isinstance(entry, dict)]
    config["defaults"] = {group: option for entry in groups for group, option in entry.items()}
    return dict(config)


def hyperparameters(raw: Config, choices: Config, main: Config) -> set[str]:
    """Return the keys at the top that change a run.

    A section such as ``{dropout: true}`` only notes which options compose. ``schema`` judges other keys.
    """
    sections = {key: raw[key] for key in main.keys() & raw.keys() if isinstance(raw[key], dict)}
    noted = {key for key, node in sections.items() if all(value is True for value in node.values())}
    cosmetic = {key.partition(".")[0] for key in raw["cosmetic"] or ()}
    own: Any = hydra.utils.get_class(raw["schema"]) if raw["schema"] else None
    known = own.model_fields if own else raw
    read = {"hydra", *getattr(own, "NOTED", ())}
    return raw.keys() & {*known, *choices} - MACHINERY - noted - cosmetic - read


def references(raw: Config) -> set[str]:
    """Return the dotted keys to which what is built refers, directly or by way of others."""
    found: set[str] = set()
    sections = [raw[key] for key in MACHINERY & raw.keys()]
    while sections:
        texts = [node for _, node in nodes(sections.pop()) if isinstance(node, str) and "${" in node]
        new = {word for text in texts for word in KEY.findall(text)} - found
        found |= new
        sections += [at(raw, path) for path in new]
    return found


def complaint(key: str, choices: Config, main: Config) -> str:
    """Say of a key what is needed, after the example of a default option that takes it."""
    refers = re.compile(rf"\$\{{{key}\b")
    takers = [
        f"{group}={option}" for group, option in main["defaults"].items() if finds(refers, group, option)
    ]
    if key in choices and not takers:
        return (
            f"{key}={choices[key]}: nothing takes what its file sets. If it sets keys at the top, needed "
            f"as its first line: # @package _global_"
        )
    example = f", as {takers[0]} does" if takers else ""
    return (
        f"{key}: set, but no part of the run takes ${{{key}}}, and it would be ignored. "
        f"Needed: leave it out, or choose parts that take it{example}"
    )


def finds(pattern: re.Pattern[str], group: str, option: Any) -> bool:
    """Tell whether the file of an option has a text."""
    paths = (folder / group / f"{option}.yaml" for folder in folders.folders())
    return any(pattern.search(path.read_text(encoding="utf-8")) for path in paths if path.is_file())
