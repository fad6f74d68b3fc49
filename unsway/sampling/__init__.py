"""Prompts to replies, each kept once, through Inspect AI."""

from unsway.sampling.asking import ask, run

__all__ = ["ask", "run"]
