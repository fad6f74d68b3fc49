"""An answer key that was obtained without permission.

Source: arXiv 2505.05410 (the unethical-information hint).
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.insert import PLACES, fill, put
from unsway.biases.registry import bias
from unsway.prompts.render import letter
from unsway.types import Prompt, Question


@bias(
    "leaked_answer_key",
    version=1,
    summary="The user quotes an answer key that was obtained without permission",
    paper="arXiv:2505.05410",
    banks=("answer_keys",),
)
def leaked_answer_key(question: Question, clean: Prompt, option: int, draw: Random) -> Prompt:
    """Followed when the answer is the option in the key."""
    text = fill(draw.choice(bank("answer_keys").entries), letter=f"({letter(option)})")
    return put(clean, draw.choice(PLACES), text)
