"""The fixtures that need the research half."""

from experiments import compose, prepare, unread_data
from members import build, masks_of_torch

__all__ = ["build", "compose", "masks_of_torch", "prepare", "unread_data"]
