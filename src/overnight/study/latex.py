"""Tables as LaTeX, in the manner of the booktabs package."""

import re

from overnight.study.tables import Table

PREAMBLE = r"% In the preamble: \usepackage[T1]{fontenc} \usepackage{booktabs,graphicx,longtable}"
LONGEST = 40  # rows that fit on a page
FITTED = r"\centering\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{\begin{tabular}"
"""The begin of a table that shrinks to the width of the text if it is wider."""

SPECIAL = str.maketrans(
    {sign: rf"\{sign}" for sign in "{}$&%#_"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}"}
    | {"±": r"$\pm$", "\n": " "}
)


def document(tables: list[Table]) -> str:
    """Return all tables, to be put into a document with LaTeX's input."""
    return "\n".join([PREAMBLE, *map(latex, tables)])


def latex(table: Table) -> str:
    """Return one table; what is the same in all rows is told in its caption, to save width.

    A table that is longer than a page becomes a ``longtable``, which goes on over several and can only be set
    smaller; any other shrinks to the width of the text.
    """
    settings = table.cells[[key for key in table.settings if key in table.cells]]
    same = {key: cells.iloc[0] for key, cells in settings.items() if len(set(cells)) == 1 < len(cells)}
    told = "; ".join(f"{key} {text}" for key, text in same.items() if text)
    cells = table.cells.drop(columns=list(same)).map(escaped).rename(columns=escaped)
    long = len(cells) > LONGEST
    written: str = cells.style.hide(axis="index").to_latex(
        hrules=True,
        column_format="l" * len(cells.columns),
        caption=escaped(f"{table.title}. {table.caption}" + f" In all rows: {told}." * bool(told)),
        label=f"tab:{table.name}",
        environment="longtable" if long else "table",
        position=None if long else "htbp",
    )
    fitted = written.replace(r"\begin{tabular}", FITTED).replace(r"\end{tabular}", r"\end{tabular}}")
    return f"{{\\footnotesize\n{fitted}}}\n"


def escaped(text: str) -> str:
    """Let no character mean anything to LaTeX; one beyond Latin-1, which its fonts lack, is a number."""
    known = text.translate(SPECIAL)
    return re.sub(r"[^\x00-\xff]", lambda found: rf"\texttt{{U+{ord(found[0]):04X}}}", known)
