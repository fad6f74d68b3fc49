"""Training material: the model's own clean replies, with cues put back into the prompts."""

from unsway.data.mixture import Mixture, mixture
from unsway.data.recipe import Recipe, all_but

__all__ = ["Mixture", "Recipe", "all_but", "mixture"]
