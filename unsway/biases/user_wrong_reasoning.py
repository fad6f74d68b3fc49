"""The user's own reasoning for an option, spelt out but empty.

Source: arXiv 2305.13160 (a user who argues for a wrong solution).
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.insert import PLACES, fill, put
from unsway.biases.registry import bias
from unsway.prompts.render import letter
from unsway.types import Prompt, Question


@bias(
    "user_wrong_reasoning",
    version=1,
    summary="The user spells out reasoning of their own that ends in an option",
    paper="arXiv:2305.13160",
    banks=("user_reasons",),
)
def user_wrong_reasoning(question: Question, clean: Prompt, option: int, draw: Random) -> Prompt:
    """Followed when the answer is the option that the user's reasoning reaches."""
    entry = draw.choice(bank("user_reasons").entries)
    text = question.options[option].rstrip(".")
    return put(clean, draw.choice(PLACES), fill(entry, text=text, letter=f"({letter(option)})"))
