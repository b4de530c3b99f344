"""Imported once by the process from which the workers are forked: what it has done, they need not do."""

import gc

gc.disable()  # until ``work``: nothing of what is imported is garbage, and to look for it takes 0.8 s

import overnight.runs.run  # noqa: E402, F401
from overnight.runs.checkout import code  # noqa: E402

code()  # as it is now: what is edited while the sweep runs is not what runs
