"""A square after the right option of every few-shot example, and after the cued option of the question.

Source: arXiv 2403.05518 (spurious few-shot: squares); five examples, as in the paper.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from unsway.biases.insert import mark, put
from unsway.biases.registry import bias
from unsway.biases.shots import demos, pose, write
from unsway.types import Prompt, Question

SQUARE = " ⬛"
SHOTS = 5
"""Number of examples."""


@bias(
    "spurious_squares",
    version=1,
    summary="Five examples with a square behind the right option; in the question it is behind the cued one",
    paper="arXiv:2403.05518",
    banks=("demos",),
)
def spurious_squares(question: Question, clean: Prompt, option: int, draw: Random, *, elicit: str) -> Prompt:
    """Followed when the answer is the option with the square."""
    shots = [replace(pose(demo, draw), mark=SQUARE) for demo in draw.sample(demos(), SHOTS)]
    return put(mark(clean, (option,), SQUARE), "front", write(shots, elicit))
