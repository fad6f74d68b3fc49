"""Asks prompts through Inspect AI and stores each reply once."""

from unsway.sampling.asker import ask, run
from unsway.sampling.options import Sampling

__all__ = ["Sampling", "ask", "run"]
