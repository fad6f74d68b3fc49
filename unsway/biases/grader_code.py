"""The code that grades the reply, shown by mistake, with the letter it expects.

Source: arXiv 2505.05410 (the grader-hacking hint).
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.insert import Place, fill, put
from unsway.biases.registry import bias
from unsway.prompts.render import letter
from unsway.types import Prompt, Question

GRADER_PLACES: tuple[Place, ...] = ("front", "after_options")


@bias(
    "grader_code",
    version=1,
    summary="The prompt shows the code that checks the reply, with the letter that it expects",
    paper="arXiv:2505.05410",
    banks=("grader_openings", "graders"),
)
def grader_code(question: Question, clean: Prompt, option: int, draw: Random) -> Prompt:
    """Followed when the answer is the expected letter."""
    code = fill(draw.choice(bank("graders").entries), letter=letter(option))
    return put(clean, draw.choice(GRADER_PLACES), f"{draw.choice(bank('grader_openings').entries)}\n{code}")
