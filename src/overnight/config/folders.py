"""The folders that hold configuration files: the project's own, and the one that ships inside overnight."""

import os
import re
import sys
from pathlib import Path

from overnight.config.errors import ConfigError

SHIPPED = Path(__file__).parents[1] / "conf"
PROJECT = "OVERNIGHT_PROJECT"
"""The variable that tells workers, on whatever machine, which checkout they run."""
OUTPUTS = "OVERNIGHT_OUTPUTS"
"""The variable that names another folder for runs and sweeps than ``outputs`` in the project's."""


def project() -> Path:
    """Return the folder of the entry script, the checkout that runs; in a notebook, the one it works in."""
    folder = Path(sys.argv[0]).parent.resolve()
    return folder if (folder / "conf").is_dir() else Path.cwd()


def in_project(name: str) -> str:
    """Return a path in the project's folder; relative, as people write it, if the command is typed there."""
    folder = Path(os.environ.get(PROJECT) or project())
    return name if Path.cwd() == folder else str(folder / name)


def outputs() -> str:
    """Return the folder where all runs and sweeps go by default."""
    return os.path.expanduser(os.environ.get(OUTPUTS, "")) or in_project("outputs")  # noqa: PTH111 - "" stays


def find_sweep(typed: Path) -> Path:
    """Return the folder that was typed; where there is none, the sweep of this name if there is one."""
    sweep = Path(outputs(), "sweeps", typed)
    return sweep if sweep.is_dir() and not typed.exists() else typed


def folders() -> list[Path]:
    """Return all folders in the order in which Hydra searches them."""
    typed = re.findall(r"--config-(dir|path)[= ](\S+)", " ".join(sys.argv[1:]))
    named = [(project() if kind == "path" else Path.cwd()) / text for kind, text in typed]
    return [folder for folder in (project() / "conf", *named, SHIPPED) if folder.is_dir()]


def find_config(name: str) -> Path:
    """Return the file of a main configuration such as ``train``; a ConfigError if there is none."""
    file = f"{name.removesuffix('.yaml')}.yaml"
    for folder in folders():
        if (folder / file).is_file():
            return folder / file
    raise ConfigError(
        f"there is no conf/{file}. Needed: a main configuration with the name of the entry script, as "
        f"train.py has conf/train.yaml"
    )


def options(group: str) -> list[str]:
    """Return the options of a group, sorted; the same name in two folders counts once."""
    return sorted({path.stem for folder in folders() for path in (folder / group).glob("*.yaml")})


def options_with(section: str, key: str) -> list[str]:
    """Return, as ``group=option``, whose files have a key in a section or in a group of Hydra's, sorted."""
    own = re.compile(rf"^(?:  - )?{key}:", flags=re.MULTILINE)
    below = re.compile(rf"^{section}:\n(?:(?:  .*)?\n)*?  {key}:", flags=re.MULTILINE)
    having = set()
    for folder in folders():
        for path in folder.rglob("*/*.yaml"):
            group, text = path.parent.relative_to(folder).as_posix(), path.read_text(encoding="utf-8")
            if below.search(text) or (group == section and own.search(text)):
                having.add(f"{group}={path.stem}")
    return sorted(having)


def groups(config: Path) -> list[str]:
    """Return the groups among which a main configuration chooses, those of ``overnight`` too, sorted.

    Hydra's own are explained by ``--hydra-help``.
    """
    text = config.read_text(encoding="utf-8")
    chosen = set(re.findall(r"^  - (?:override )?/?([\w/]+): ", text, flags=re.MULTILINE))
    if is_based(text):
        chosen |= set(groups(SHIPPED / "overnight.yaml"))
    return sorted(group for group in chosen if group.partition("/")[0] != "hydra")


def groups_of_script() -> list[str]:
    """Return the groups of the script that runs; none in a worker, whose script is another one."""
    files = [folder / f"{Path(sys.argv[0]).stem}.yaml" for folder in folders()]
    return next((groups(path) for path in files if path.is_file()), [])


def keys(config: Path) -> list[str]:
    """Return the keys and groups at the top of a main configuration, sorted."""
    typed = set(re.findall(r"^(\w+):", config.read_text(encoding="utf-8"), flags=re.MULTILINE))
    return sorted((typed | set(groups(config))) - {"defaults", "hydra"})


def is_based(config: str) -> bool:
    """Tell whether a main configuration begins with overnight's own."""
    return bool(re.search(r"^  - overnight$", config, flags=re.MULTILINE))
