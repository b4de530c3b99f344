"""A logger of one's own: a line of JSON for each time that something is logged."""

import json
from argparse import Namespace
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger


class Lines(Logger):
    """Writes ``metrics.jsonl``.

    Args:
        folder: where to; it is there already.
    """

    name = None
    version = None

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.path = Path(folder, "metrics.jsonl")

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Write the metrics of an epoch; ``step`` is its number."""
        self.write({"step": step} | metrics)

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Write the hyperparameters, and the metrics of the best epoch: once, at the end."""
        self.write(dict(params) if isinstance(params, dict) else vars(params))

    def write(self, values: dict[str, Any]) -> None:
        """Append a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(values) + "\n")
