"""Imported once by the process from which the workers are forked: what it has done, they need not do."""

import gc

import overnight.runs.run  # noqa: F401
from overnight.runs.checkout import code

code()  # as it is now: what is edited while the sweep runs is not what runs
gc.freeze()  # what is imported is not worth looking through for garbage
