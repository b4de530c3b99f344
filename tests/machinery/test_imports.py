"""Imports point one way, and the machinery knows nothing of the research: read off the source."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
OVERNIGHT = SRC / "overnight"
FLOORS = (
    {"records", "data"},
    {"config"},
    {"study", "training"},
    {"search", "sweeps"},
    {"runs"},
    {"launchers"},
    {"stacked"},
)
"""Each imports at the tops of its modules only what stands above it; exceptions are imported when called."""

TRAINING = {"torch", "torchvision", "torchmetrics", "lightning", "hydra", "omegaconf"}
STUDYING = {"pandas", "scipy", "statsmodels", "matplotlib", "optuna"}
RESEARCH = re.compile(
    r"\b(fcnlab|fashion|mnist|acc|accuracy|hidden_sizes|784|60_000|pixels|l1|weight_init)\b", re.IGNORECASE
)


def imported(path: Path, *, late: bool = True) -> Iterator[str]:
    """Yield the full names of the modules that a file imports; those in its functions, too, if asked for."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree) if late else tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def roots(path: Path, *, late: bool = True) -> set[str]:
    return {name.partition(".")[0] for name in imported(path, late=late)}


def rooms(path: Path) -> set[str]:
    """Return the folders of overnight that a file imports from at its top."""
    ours = (name for name in imported(path, late=False) if name.startswith("overnight."))
    return {name.split(".")[1] for name in ours}


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in {".py", ".yaml", ".html", ".md"})


@pytest.mark.parametrize("room", [room for floor in FLOORS for room in sorted(floor)])
def test_a_folder_imports_only_what_stands_above_it(room: str) -> None:
    floor = next(number for number, names in enumerate(FLOORS) if room in names)
    allowed = {room}.union(*FLOORS[:floor])
    below = {str(path.relative_to(SRC)): rooms(path) - allowed for path in (OVERNIGHT / room).rglob("*.py")}
    assert {path: names for path, names in below.items() if names} == {}


OF_TABLES = {OVERNIGHT / "data" / f"{name}.py" for name in ("columns", "table_files", "tables")}
"""Modules that only a run on a table imports."""

RULES = {
    "records: the standard library and filelock": ("records", set(), {"overnight", "filelock"}),
    "study: no training library": ("study", TRAINING, None),
    **{
        f"{room}: no tables but those of data, no plots": (room, STUDYING, None)
        for room in ("records", "data", "config", "training", "runs", "launchers", "stacked")
    },
}


@pytest.mark.parametrize(("room", "refused", "only"), RULES.values(), ids=RULES)
def test_a_folder_needs_no_more_than_it_should(room: str, refused: set[str], only: set[str] | None) -> None:
    paths = {*(OVERNIGHT / room).rglob("*.py")} - OF_TABLES
    needed = {name for path in paths for name in roots(path)}
    assert not needed & refused
    assert only is None or needed - sys.stdlib_module_names <= only


def test_what_hydra_imports_at_every_start_is_hydra_alone() -> None:
    needed = {name for path in (SRC / "hydra_plugins").rglob("*.py") for name in roots(path, late=False)}
    assert needed - sys.stdlib_module_names <= {"hydra", "omegaconf", "hydra_plugins"}


@pytest.mark.parametrize("folder", ["overnight", "hydra_plugins"])
def test_the_machinery_has_no_word_of_the_research(folder: str) -> None:
    words = {
        str(path.relative_to(SRC)): found
        for path in files(SRC / folder)
        if (found := sorted(set(RESEARCH.findall(path.read_text(encoding="utf-8")))))
    }
    assert words == {}
