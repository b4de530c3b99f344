"""From records to answers. Nothing here imports torch, Lightning or Hydra.

In a notebook::

    from overnight import study

    runs = study.load("outputs/sweeps/optimizers")          # one row a run
    curves = study.histories("outputs/sweeps/optimizers")   # one row a run and epoch
    study.unreadable("outputs/sweeps/optimizers")           # records that cannot be read, and why
"""

from overnight.study.frames import histories, load, unreadable

__all__ = ["histories", "load", "unreadable"]
