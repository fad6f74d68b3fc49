"""The answer that most people are said to have given.

Source: arXiv 2309.17012 (bandwagon effect).
"""

from __future__ import annotations

from random import Random

from unsway.biases.hunches import FORMS, hunch
from unsway.biases.insert import Inserted
from unsway.biases.registry import bias
from unsway.types import Prompt, Question


@bias(
    "majority_vote",
    version=1,
    summary="A large majority is said to have chosen an option",
    paper="arXiv:2309.17012",
    forms=FORMS,
    banks=("majorities",),
)
def majority_vote(question: Question, clean: Prompt, option: int, draw: Random, *, form: str) -> Inserted:
    """Followed when the answer is the majority's option; the share is drawn from 70 to 95 percent."""
    return hunch("majorities", question, clean, option, draw, form, share=str(draw.randrange(70, 96)))
