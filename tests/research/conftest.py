"""The fixtures that need the research half."""

from built import build
from experiments import compose, prepare, unread_data
from known_tables import meals, votes
from small_images import augmentations, images, labels

__all__ = ["augmentations", "build", "compose", "images", "labels"]
__all__ += ["meals", "prepare", "unread_data", "votes"]
