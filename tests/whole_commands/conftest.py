"""The fixtures that need the research half."""

from experiments import compose, configured, prepare, unread_data
from members import build, masks_of_torch

__all__ = ["build", "compose", "configured", "masks_of_torch", "prepare", "unread_data"]
