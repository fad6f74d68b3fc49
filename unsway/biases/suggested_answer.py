"""A user's hunch for an option: the bias that the paper trains on.

Source: arXiv 2403.05518 (suggested answer); after arXiv 2305.04388, §3.1.
"""

from __future__ import annotations

from random import Random

from unsway.biases.hunches import FORMS, hunch
from unsway.biases.insert import Inserted
from unsway.biases.registry import bias
from unsway.types import Prompt, Question


@bias(
    "suggested_answer",
    version=1,
    summary="A user's hunch for an option, by letter or by its text, at one of four places",
    paper="arXiv:2403.05518",
    forms=FORMS,
    banks=("hunches_for",),
)
def suggested_answer(question: Question, clean: Prompt, option: int, draw: Random, *, form: str) -> Inserted:
    """The user says which option they believe in. Followed when the answer is that option."""
    return hunch("hunches_for", question, clean, option, draw, form)
