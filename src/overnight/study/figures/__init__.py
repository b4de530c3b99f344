"""Tables of ``study`` as figures. Each function is pure: tables in, a ``matplotlib.figure.Figure`` out."""
