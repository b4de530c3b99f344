"""A table as data: a CSV or Parquet file with a column to learn."""

import difflib
import functools
import json
import logging
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from overnight.data import columns, targets
from overnight.data.batches import Samples
from overnight.data.columns import Columns
from overnight.data.files import of_file, typed, version
from overnight.data.in_memory import InMemoryData, Source
from overnight.data.scaling import FILLED, filled_in, one_hot_encoded, standardize
from overnight.data.splits import stratified_split
from overnight.data.table_files import read_table
from overnight.data.targets import Targets

log = logging.getLogger(__name__)

FEW = 5
"""Classes that are named."""
NUMBER = re.compile(r"-?\d+(\.\d+)?")
FEWEST = 10
"""Rows, of which some train, some validate and some test."""


Loaded = tuple[Columns, Targets]
"""What a file holds: the features before they are scaled, and the targets."""


class Table(InMemoryData):
    """Rows of a table: numbers standardized on the training part alone, categories one-hot.

    A category that the training part lacks is 0 in all of its columns.

    Args:
        path: of a CSV file, compressed or not, or a Parquet file.
        target: the name of the column to learn.
        regression: learn it as a number; else its values are classes.
        drop: names of columns to leave out, such as an identifier.
        categorical: names of columns to take for categories although they hold numbers.
        missing: "refuse"; or fill a missing number with the "mean" or "median" of the training part, and let
            a missing category be one of its own.
        test_size: rows that are set aside for the test; below 1, their share of all.
        test_seed: draws them.
        read_csv: options of ``pandas.read_csv``.
        settings: of ``InMemoryData``.
    """

    def __init__(
        self,
        *,
        path: str,
        target: str,
        regression: bool,
        drop: Sequence[str],
        categorical: Sequence[str],
        missing: str,
        test_size: float,
        test_seed: int,
        read_csv: Mapping[str, Any],
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        if missing not in FILLED:
            raise ValueError(
                f"data.missing={missing}: needed: one of {', '.join(FILLED)}. Type: data.missing=mean"
            )
        self.path, self.target, self.missing = Path(path), str(target), missing
        self.test_size, self.test_seed = test_size, test_seed
        self._load = functools.partial(
            load,
            self.path,
            self.target,
            named(drop),
            named(categorical),
            json.dumps(dict(read_csv), sort_keys=True),
            regression=regression,
            impute=missing != "refuse",
        )

    def read(self) -> Source:
        """Read the file, and set rows aside for the test; ``read_table`` and ``load`` say what is raised."""
        self._loaded = self._load(version=version(self.path))
        if log.isEnabledFor(logging.INFO):
            tell(described(self.path, self.target, self._loaded))
        (values, numbers, categories, _), (learned, self.class_names) = self._loaded
        encoded = (name for name, values_of in categories.items() for _ in values_of)
        self.column_names = (*numbers, *encoded)
        split = stratified_split(learned, self.test_size, 1, 0, self.test_seed, "data.test_size")
        self.test_rows, features = split.val.tolist(), torch.from_numpy(values)
        return Source(*(Samples(features[rows], learned[rows]) for rows in split))

    def prepare(self, source: Source) -> Source:
        """Fill in, scale and encode by the training part, which must have all classes (ValueError)."""
        (_, names, categories, _), _ = self._loaded
        trained, numbers = self.split.train, len(names)
        targets.refuse_untrained(
            source.train.targets[trained], self.class_names, f"data.target={self.target}"
        )
        if fill := FILLED[self.missing]:
            source = filled_in(source, fill, trained)
        scaled = standardize(source, trained, slice(numbers))
        return one_hot_encoded(scaled, trained, numbers, [*map(len, categories.values())])


def named(columns_of: Sequence[str]) -> tuple[str, ...]:
    """Return the names of columns; a single one may be typed without brackets."""
    return (columns_of,) if isinstance(columns_of, str) else tuple(map(str, columns_of))


@functools.lru_cache(maxsize=2)
def load(
    path: Path,
    target: str,
    drop: tuple[str, ...],
    categorical: tuple[str, ...],
    options: str,
    *,
    regression: bool,
    impute: bool,
    version: tuple[int, ...],  # noqa: ARG001 - a key of the cache
) -> Loaded:
    """Read and encode a table, once for each version of its file; a ValueError says what to type instead."""
    frame = read_table(path, json.loads(options))
    with of_file(path):
        for key, names in (("target", [target]), ("drop", drop), ("categorical", categorical)):
            for name in names:
                if name not in frame.columns:
                    raise ValueError(missing_column(f"data.{key}", name, list(map(str, frame.columns))))
        if len(frame) < FEWEST:
            raise ValueError(f"rows: {len(frame)}. Needed: {FEWEST} or more, to train, validate and test on")
        column = frame[target]
        if blank := int(column.isna().sum()):
            row = int(column.isna().argmax()) + 1
            raise ValueError(
                f"the target {target} is blank in rows ({blank}), first in row {row} after the "
                f"names. Needed: a target in every row. Leave these rows out of the file"
            )
        if pd.api.types.is_string_dtype(column):
            columns.refuse_marked(target, list(column.astype(str).unique()))
        features = columns.encode(frame.drop(columns=[target, *drop]), categorical, impute=impute)
        learn = targets.numbers if regression else targets.classes
        return features, learn(column.to_numpy(), f"data.target={target}")


def missing_column(key: str, name: str, names: Sequence[str]) -> str:
    """Say that there is no such column, and which ones there are: the most similar, or else the first."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    few = ", ".join(close or names[:10])
    told = f"Did you mean {few}?" if close else f"It has {len(names)} columns: {few}."
    if len(names) == 1:
        hint = f"another delimiter, as in: {typed('data.read_csv.sep', ' ')}"
    else:
        hint = f"a name in the first line. Type for example: {typed(key, (close or names[::-1])[0])}"
    return f"{key}={name}: there is no such column. {told} Needed: {hint}"


@functools.cache
def tell(text: str) -> None:
    """Log a text once in a process."""
    log.info("%s", text)


def described(path: Path, target: str, loaded: Loaded) -> str:
    """Say what a table is taken for, and how to type what it could be taken for instead."""
    features, (values, names) = loaded
    sizes = f"columns of numbers: {len(features.numbers)}, of categories: {len(features.categories)}"
    left = f", left out as they tell nothing: {', '.join(features.left_out)}" if features.left_out else ""
    few = ", ".join(names[:FEW]) + ", ..." * (len(names) > FEW)
    count = f"{len(names)} classes ({few})" if names else "a number"
    hints = [f". {targets.AS_NUMBERS}"] if names and all(map(NUMBER.fullmatch, names)) else []
    hints += [
        f". {name} numbers the rows; to leave it out, type: {typed('data.drop', name, in_list=True)}"
        for name in columns.numbering(features)
    ]
    return f"{path.name}: {len(values)} rows, {sizes}{left}; the target {target} is {count}{''.join(hints)}"
