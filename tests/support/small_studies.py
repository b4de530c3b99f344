"""A small study of made records in which one option is hostile."""

from pathlib import Path
from typing import Any

import records

HOSTILE = r"<b>1</b>&\textbf{x}_%$#~^|é中"


def made(folder: Path, **settings: Any) -> None:
    """Write a small study in which one option is hostile."""
    values: dict[str, Any] = {"init": [HOSTILE, "zeros"], "lr": [0.1, 0.2, 0.3], "seed": [0, 1]}
    tried = records.grid(values | settings)
    for place, setting in enumerate(tried):
        records.write(folder, records.record(setting, 0.8 + place / 1000))
    written = records.record({"init": HOSTILE, "lr": 0.4, "seed": 0}, None, "failed")
    written["error"] = {"type": "ValueError", "message": "</script><script>alert(1)</script>\nsecond line"}
    records.write(folder, written)
