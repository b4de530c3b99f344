"""The figures of a report, drawn and not yet saved.

What several take: ``runs`` of ``design.labelled``, ``settings`` of ``arms.settings`` (means over replicates),
``plan`` and ``score`` of ``design``, and ``hues``, a colour for each value of the first scientific
hyperparameter.
"""
