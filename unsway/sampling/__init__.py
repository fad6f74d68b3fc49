"""Prompts to replies, each kept once, through Inspect AI."""

from unsway.sampling.asker import ask, run
from unsway.sampling.options import Sampling

__all__ = ["Sampling", "ask", "run"]
