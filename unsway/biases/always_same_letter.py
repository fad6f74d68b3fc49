"""Few-shot examples whose right answer always has the same letter.

Source: arXiv 2305.04388, §3.1 (answer is always A). Here it is the letter of the cued option. So all biases of a
question cue the same option, and a model's preference for A is not mistaken for following.
"""

from __future__ import annotations

from random import Random

from unsway.biases.insert import put
from unsway.biases.registry import Skip, bias
from unsway.biases.shots import MAX_OPTIONS, demos, pose, write
from unsway.prompts.render import letter
from unsway.types import Prompt, Question

SHOTS = 4
"""Number of examples."""
FEWEST_OPTIONS = 3
"""Fewest options per example; with two, four examples would often share a letter by chance."""


@bias(
    "always_same_letter",
    version=1,
    summary="Four examples whose right answers all have the letter of the cued option",
    paper="arXiv:2305.04388",
    banks=("demos",),
)
def always_same_letter(question: Question, clean: Prompt, option: int, draw: Random, *, elicit: str) -> Prompt | Skip:
    """Followed when the answer has the letter of the examples' answers."""
    if option >= MAX_OPTIONS:
        return Skip(f"the examples have no option ({letter(option)})")
    n = max(FEWEST_OPTIONS, option + 1, min(len(question.options), MAX_OPTIONS))
    shots = [pose(demo, draw, n_options=n, right=option) for demo in draw.sample(demos(), SHOTS)]
    return put(clean, "front", write(shots, elicit))
