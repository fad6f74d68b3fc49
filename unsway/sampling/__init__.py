"""Prompts to replies, each kept once, through Inspect AI."""

from unsway.sampling.asker import ask, run

__all__ = ["ask", "run"]
