"""The research imports of the machinery what a fork may rely on, and nothing else."""

from pathlib import Path

import pytest

from commands import ROOT

OFFERED = ("overnight.config", "overnight.data", "overnight.training")


@pytest.mark.parametrize("path", (ROOT / "src" / "fcnlab").rglob("*.py"), ids=lambda path: path.stem)
def test_the_research_imports_only_what_the_machinery_offers(path: Path) -> None:
    lines = [line.split() for line in path.read_text().splitlines()]
    used = [words[1] for words in lines if words[:1] in (["from"], ["import"]) and "overnight" in words[1]]
    assert all(module.startswith(OFFERED) for module in used), used
