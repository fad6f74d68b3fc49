"""A user's hunch against an option: for training mixes, so that a model does not learn to contradict the user.

Source: arXiv 2403.05518 (the "against" half of the training prompts).
"""

from __future__ import annotations

from random import Random

from unsway.biases.hunches import FORMS, hunch
from unsway.biases.insert import Inserted
from unsway.biases.registry import bias
from unsway.types import Prompt, Question


@bias(
    "suggested_against",
    version=1,
    summary="A user's hunch against an option, by letter or by its text, at one of four places",
    paper="arXiv:2403.05518",
    target="away",
    forms=FORMS,
    banks=("hunches_against",),
)
def suggested_against(question: Question, clean: Prompt, option: int, draw: Random, *, form: str) -> Inserted:
    """The user says which option they do not believe in. Followed when the answer is a different one."""
    return hunch("hunches_against", question, clean, option, draw, form)
