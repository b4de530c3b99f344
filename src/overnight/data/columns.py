"""Columns of a table as features: numbers as they are, categories by their number."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from overnight.data.files import typed

MISSING = "(missing)"
MOST_CATEGORIES = 1000
"""A column with more of them than this is a free text, or an identifier."""
DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})([T ].*)?")
MARKED = re.compile(r"[-+]?[\s$€£]*[-+]?\d{1,3}(\d*|([.,' ]\d{3})*)([.,]\d+)?\s*[%$€£]?")
"""A number with a comma, a currency or a percent sign in it."""


class Columns(NamedTuple):
    """The features of a table, not yet one-hot."""

    values: np.ndarray  # [n, columns] in float64: numbers, NaN where one is missing; then numbered categories
    numbers: tuple[str, ...]  # the names of the columns of numbers
    categories: dict[str, tuple[str, ...]]  # the categories of the others, by the names of their columns
    left_out: tuple[str, ...]  # columns that tell nothing


def encode(frame: pd.DataFrame, categorical: Sequence[str], *, impute: bool) -> Columns:
    """Return the features of a table; refuse a column that cannot be learned from (ValueError).

    Args:
        frame: without the target.
        categorical: columns that are categories although they hold numbers, or many texts.
        impute: values may be missing; else they are refused.
    """
    idle = [str(name) for name, column in frame.items() if tells_nothing(str(name), column)]
    kept = frame.drop(columns=idle)
    if not impute:
        refuse_missing(kept)
    numbers, categories = {}, {}
    for name, column in kept.items():
        if str(name) not in categorical and (is_numeric_dtype(column) or is_bool_dtype(column)):
            numbers[str(name)] = finite(str(name), column)
        else:
            if str(name) not in categorical:
                refuse_texts(str(name), column)
            texts = column.astype("object").where(column.notna(), MISSING).astype(str)
            categories[str(name)] = pd.Categorical(texts)
    if not numbers and not categories:
        raise ValueError(
            f"no column is left to learn from. Left out: {', '.join(idle) or 'the target alone'}"
        )
    values = [*numbers.values(), *(each.codes.astype(float) for each in categories.values())]
    named = {name: tuple(map(str, each.categories)) for name, each in categories.items()}
    return Columns(np.column_stack(values), tuple(numbers), named, tuple(idle))


def tells_nothing(name: str, column: pd.Series) -> bool:
    """Tell whether a column is the same in each row, or has no name: some programs export row numbers so."""
    return len(column.unique()) <= 1 or name.startswith("Unnamed: ") or not name


def numbering(features: Columns) -> Iterator[str]:
    """Yield the names of columns that count the rows, from 0 or from 1."""
    values, *_ = features
    for place, name in enumerate(features.numbers):
        if any(np.array_equal(values[:, place], np.arange(len(values)) + first) for first in (0, 1)):
            yield name


def refuse_missing(frame: pd.DataFrame) -> None:
    """Refuse missing values (ValueError)."""
    gaps = frame.isna()
    counts = gaps.sum()
    if counts.any():
        named = [f"{name} ({number})" for name, number in counts[counts > 0].items()]
        most = ", ".join([*named[:5], *["..."] * (len(named) > 5)])  # noqa: PLR2004 - a line's length
        row = int(np.flatnonzero(gaps.any(axis=1))[0])
        raise ValueError(
            f"values are missing in {most}; first in row {row + 1} after the names. Needed: all of them, or "
            f"how to fill in numbers. Type: data.missing=mean or data.missing=median"
        )


def finite(name: str, column: pd.Series) -> np.ndarray:
    """Return numbers in float64; refuse infinite ones (ValueError)."""
    values = column.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        raise ValueError(
            f"column {name} holds {np.isinf(values).sum()} infinite numbers. Needed: finite ones. To take "
            f"them for missing, type: '+data.read_csv.na_values=[inf,-inf]' data.missing=median"
        )
    return values


def refuse_texts(name: str, column: pd.Series) -> None:
    """Refuse texts that are no categories: dates, odd numbers, identifiers (ValueError)."""
    different = column.dropna().astype(str).unique()
    first, drop = different[0], typed("data.drop", name, in_list=True)
    if is_datetime64_any_dtype(column) or all(map(DATE.fullmatch, different)):
        raise ValueError(
            f"column {name} holds dates, such as {first}. Needed: numbers or categories, such as the year in "
            f"a column of its own. To leave it out, type: {drop}"
        )
    refuse_marked(name, list(different))
    numbers = pd.to_numeric(pd.Series(different), errors="coerce")
    if numbers.notna().mean() > 1 / 2:
        odd = different[int(numbers.isna().argmax())]
        raise ValueError(
            f"column {name} holds numbers and texts, such as {different[int(numbers.notna().argmax())]!r} "
            f"and {odd!r}. Needed: one kind. If {odd!r} means that the value is missing, type: "
            f"{typed('+data.read_csv.na_values', odd, in_list=True)} data.missing=median; if the numbers are "
            f"names of categories: {typed('data.categorical', name, in_list=True)}"
        )
    if len(different) == len(column) or len(different) > MOST_CATEGORIES:
        raise ValueError(
            f"column {name} holds {len(different)} different texts in {len(column)} rows, such as {first!r}: "
            f"it seems to be an identifier or a free text. To leave it out, type: {drop}; to take them for "
            f"categories all the same: {typed('data.categorical', name, in_list=True)}"
        )


def refuse_marked(name: str, texts: Sequence[str]) -> None:
    """Refuse texts that are numbers with commas, currencies or percent signs in them (ValueError)."""
    if all(map(MARKED.fullmatch, texts)):
        raise ValueError(
            f"column {name} holds {texts[0]!r}, which is no plain number. {remedy(texts[0])} Else write "
            f"plain numbers or, if it is not the target, leave the column out: "
            f"{typed('data.drop', name, in_list=True)}"
        )


def remedy(text: str) -> str:
    """Say how a number with a comma is read; a sign has to go from the file."""
    if sign := re.search(r"[%$€£]", text):
        return f"Needed: numbers without {sign[0]}."
    return (
        f"If its comma is a decimal comma, type: {typed('data.read_csv.decimal', ',')}; if it stands between "
        f"thousands: {typed('data.read_csv.thousands', ',')}."
    )
