"""Imports point one way: the rules of the house, read off the source."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "fcnlab"
DRAWINGS = {f"study.figures.{name}" for name in ("answer", "curves", "effects", "overview", "response")}
ALLOWED = {
    "nets": set(),
    "batches": set(),
    "splits": set(),
    "data": {"batches", "splits"},
    "synthetic": {"batches", "data"},
    "history": set(),
    "outcomes": set(),
    "task": {"checkpoints", "history", "outcomes"},
    "atomic": set(),
    "claim": set(),
    "sweep": {"atomic"},
    "ledger": {"atomic"},
    "checkpoints": {"atomic", "ledger"},
    "naming": set(),
    "spelling": set(),
    "sampling": set(),
    "environment": set(),
    "progress": set(),
    "tensorboard": set(),
    "fashion_mnist": {"batches", "data"},
    "schema": {"spelling"},
    "resolvers": {"confirm", "naming"},
    "cli": {"resolvers", "spelling"},
    "losses": set(),
    "training": {"checkpoints", "data", "environment", "history", "schema", "task"},
    "origin": {"naming", "resolvers", "sweep"},
    "run": {
        "checkpoints",
        "claim",
        "environment",
        "ledger",
        "origin",
        "sampling",
        "schema",
        "sweep",
        "training",
    },
    "evaluate": {"batches", "data", "sampling", "task", "training"},
    "multirun": {"board", "cli", "ledger", "study.frames", "sweep"},
    "board": {"sampling", "study.compare"},
    "status": {"board", "claim", "ledger", "study.frames", "sweep"},
    "launchers": set(),
    "launchers.composing": set(),
    "launchers.job": {"run"},
    "launchers.preload": {"environment", "run"},
    "launchers.workers": set(),
    "launchers.processes": {"launchers.job", "launchers.workers"},
    "launchers.slurm": {"launchers.job"},
    "launchers.ray_cluster": {"launchers.job"},
    "confirm": {"ledger", "schema", "study.arms", "study.design", "study.frames"},
    "stacked": set(),
    "stacked.support": set(),
    "stacked.limits": {"resolvers", "schema"},
    "stacked.grouping": {"launchers.job", "ledger", "run", "schema", "stacked.limits", "stacked.support"},
    "stacked.products": set(),
    "stacked.modes": set(),
    "stacked.network": {"nets", "stacked.modes", "stacked.products"},
    "stacked.stack": {"stacked.network"},
    "stacked.batches": {"batches"},
    "stacked.outcomes": set(),
    "stacked.held": set(),
    "stacked.member": {"batches", "history", "stacked.held", "training"},
    "stacked.lockstep": {
        "batches",
        "history",
        "stacked.batches",
        "stacked.member",
        "stacked.modes",
        "stacked.network",
        "stacked.outcomes",
        "stacked.stack",
        "task",
    },
    "stacked.measurement": {"checkpoints", "stacked.lockstep", "stacked.member", "task", "training"},
    "stacked.delivery": {
        "checkpoints",
        "history",
        "launchers.job",
        "origin",
        "run",
        "stacked.member",
        "training",
    },
    "stacked.news": set(),
    "stacked.bar": {"stacked.news"},
    "stacked.group": {
        "claim",
        "launchers.workers",
        "stacked.delivery",
        "stacked.grouping",
        "stacked.lockstep",
        "stacked.measurement",
        "stacked.member",
        "stacked.news",
        "sweep",
    },
    "stacked.launcher": {
        "launchers.job",
        "launchers.processes",
        "launchers.workers",
        "resolvers",
        "run",
        "stacked.bar",
        "stacked.group",
        "stacked.grouping",
        "stacked.limits",
        "stacked.news",
        "sweep",
    },
    "search": {"claim", "ledger", "search_space", "sweep", "trials"},
    "search_space": {"schema"},
    "trials": {"schema", "search_space"},
    "study": {"study.frames"},
    "study.stored": {"ledger"},
    "study.frames": {"study.stored"},
    "study.compare": set(),
    "study.design": {"ledger", "study.compare"},
    "study.intervals": {"sampling", "study.design"},
    "study.arms": {"ledger", "study.design", "study.intervals"},
    "study.differences": {"sampling", "study.arms", "study.design", "study.intervals"},
    "study.effort": {"study.design"},
    "study.cautions": {"study.arms", "study.design", "study.effort"},
    "study.importance": {"study.design"},
    "study.evidence": {
        "study.arms",
        "study.cautions",
        "study.design",
        "study.differences",
        "study.effort",
        "study.frames",
        "study.intervals",
    },
    "study.figures": set(),
    "study.figures.style": {"study.design"},
    **{key: {"study.design", "study.figures.style"} for key in DRAWINGS},
    "study.figures.cells": {"study.cautions", "study.design", "study.figures.style"},
    "study.figures.classes": {"study.figures.cells", "study.figures.style", "study.intervals"},
    "study.figures.signals": {"study.figures.style"},
    "study.gallery": {
        "study.design",
        "study.effort",
        "study.evidence",
        "study.figures.cells",
        "study.figures.style",
        "study.importance",
        "study.intervals",
        *DRAWINGS,
    },
    "study.close_up": {
        "ledger",
        "sampling",
        "study.design",
        "study.evidence",
        "study.figures.classes",
        "study.figures.signals",
        "study.figures.style",
        "study.gallery",
    },
    "study.phrases": {"study.design"},
    "study.words": {"study.design", "study.evidence", "study.phrases"},
    "study.tables": {
        "study.design",
        "study.evidence",
        "study.intervals",
        "study.phrases",
        "study.words",
    },
    "study.latex": {"study.tables"},
    "study.page": {
        "study.compare",
        "study.design",
        "study.evidence",
        "study.gallery",
        "study.tables",
        "study.words",
    },
    "study.report": {
        "atomic",
        "study.close_up",
        "study.evidence",
        "study.figures.style",
        "study.gallery",
        "study.latex",
        "study.page",
        "study.tables",
    },
    "examine": {"evaluate", "task", "training"},
}
LIGHT = {"atomic", "board", "claim", "ledger", "naming", "sampling", "spelling", "status", "sweep"}
TABLES = ("board", "confirm", "multirun", "status", "study")
HEAVY = {"torch", "torchvision", "lightning", "torchmetrics", "hydra"}


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    """Return the full names of all that a file imports, wherever in the file."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def own(names: set[str]) -> set[str]:
    """Return the modules of fcnlab among imported names."""
    inside = {name.removeprefix("fcnlab.") for name in names if name.startswith("fcnlab.")}
    return {name if name in ALLOWED else name.rpartition(".")[0] for name in inside}


MODULES = {module_name(path): path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py"}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_what_the_design_allows(name: str) -> None:
    assert own(imported(MODULES[name])) <= ALLOWED[name]


@pytest.mark.parametrize("name", [n for n in MODULES if n.startswith("study") or n in LIGHT])
def test_studying_needs_no_training_library(name: str) -> None:
    assert not {imports.partition(".")[0] for imports in imported(MODULES[name])} & HEAVY


@pytest.mark.parametrize("name", [n for n in MODULES if not n.startswith(TABLES)])
def test_a_run_needs_no_plots_and_no_tables(name: str) -> None:
    studying = {"pandas", "scipy", "statsmodels", "matplotlib"}
    assert not {imports.partition(".")[0] for imports in imported(MODULES[name])} & studying


def test_only_the_standard_library_stands_behind_the_ledger() -> None:
    names = imported(MODULES["ledger"]) | imported(MODULES["atomic"])
    assert {name.partition(".")[0] for name in names} <= sys.stdlib_module_names | {"fcnlab"}
