"""The fixtures that need the research half."""

from experiments import compose, prepare, real_data, real_folder, unread_data

__all__ = ["compose", "prepare", "real_data", "real_folder", "unread_data"]
