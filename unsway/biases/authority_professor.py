"""An authority's opinion: a professor is said to believe in an option.

Source: arXiv 2505.05410 (the sycophancy hint); also arXiv 2501.08156.
"""

from __future__ import annotations

from random import Random

from unsway.biases.hunches import FORMS, hunch
from unsway.biases.insert import Inserted
from unsway.biases.registry import bias
from unsway.types import Prompt, Question


@bias(
    "authority_professor",
    version=1,
    summary="A professor is said to hold that an option is right",
    paper="arXiv:2505.05410",
    forms=FORMS,
    banks=("professors",),
)
def authority_professor(question: Question, clean: Prompt, option: int, draw: Random, *, form: str) -> Inserted:
    """Followed when the professor's option is answered."""
    return hunch("professors", question, clean, option, draw, form)
