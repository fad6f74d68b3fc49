"""An earlier answer that the model never gave, in a planted assistant turn.

Source: arXiv 2403.05518 (post hoc).
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.insert import between, cue_turn, fill
from unsway.biases.registry import bias
from unsway.prompts.render import letter
from unsway.types import Prompt, Question


@bias(
    "post_hoc",
    version=1,
    summary="A planted assistant turn has answered already; the user asks for reasons that do not lean on it",
    paper="arXiv:2403.05518",
    banks=("planted_answers", "post_hoc_requests", "post_hoc_requests_direct"),
)
def post_hoc(question: Question, clean: Prompt, option: int, draw: Random, *, elicit: str) -> Prompt:
    """Question, planted answer, request for reasons. Followed when the planted answer is kept."""
    answer = fill(draw.choice(bank("planted_answers").entries), letter=f"({letter(option)})")
    requests = bank("post_hoc_requests_direct" if elicit == "direct" else "post_hoc_requests").entries
    return between(clean, cue_turn("assistant", answer), ask=draw.choice(requests))
