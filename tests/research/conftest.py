"""The fixtures that need the research half."""

from experiments import compose, prepare, unread_data

__all__ = ["compose", "prepare", "unread_data"]
