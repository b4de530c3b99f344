"""Settings of data in memory, as ``conf/data`` has them."""

from typing import Any

SPLITS: dict[str, Any] = dict(val_size=0.25, split_seed=0, folds=1, fold=0)  # noqa: C408 - shorter so
SET_ASIDE: dict[str, Any] = dict(test_size=0.2, test_seed=0)  # noqa: C408
BATCHES: dict[str, Any] = dict(  # noqa: C408
    batch_size=8, eval_batch_size=100, shuffle=True, seed=0, track_test=True
)
