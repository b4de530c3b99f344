"""The tables of a report as LaTeX."""

import re

import pandas as pd

from overnight.study import latex
from overnight.study.tables import Table
from small_studies import HOSTILE


def balanced(text: str) -> bool:
    """Tell whether the braces that are not escaped close each other."""
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text.replace(r"\\", "")):
        depth += {"{": 1, "}": -1}[brace]
        if depth < 0:
            return False
    return depth == 0


def test_tables_are_sound_latex() -> None:
    cells = pd.DataFrame({HOSTILE: [HOSTILE, "1 ± 2"], "b": ["x", "y"], "same": ["all", "all"]})
    text = latex.document([Table("t", "Title & more", "50 % of $x", cells, settings=("same",))])
    rows = re.findall(r"^(.*?) \\\\$", text, re.MULTILINE)
    assert [len(re.findall(r"(?<!\\)&", row)) for row in rows] == [1, 1, 1]
    assert balanced(text)
    assert r"\textless{}b\textgreater{}1" in text
    assert r"\texttt{U+4E2D}" in text
    assert "In all rows: same all." in text
    assert {r"\toprule", r"\midrule", r"\bottomrule"} <= set(re.findall(r"\\\w+rule", text))


def test_a_long_table_may_go_on_over_several_pages() -> None:
    cells = pd.DataFrame({"a": [str(i) for i in range(latex.LONGEST + 1)]})
    assert r"\begin{longtable}" in latex.document([Table("t", "T", "C", cells)])
