"""An answer is put into the model's mouth; the user asks to explain without anchoring on it.

Source: arXiv 2403.05518, §2 (Post Hoc).
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.editing import asked, cue, halves, shown
from unsway.biases.registry import bias
from unsway.types import Prompt, Question, Turn


@bias(
    "post_hoc",
    version=1,
    summary="an assistant turn has already answered; the user asks to explain without leaning on it",
    paper="arXiv:2403.05518",
)
def post_hoc(question: Question, clean: Prompt, option: int, rng: Random) -> Prompt:
    """Question, planted answer, request to reason afresh with the instruction."""
    lead, parts = asked(clean)
    about, how = halves(parts)
    planted = Turn("assistant", (cue(f"The best answer is: {shown(question, option)}"),))
    request = Turn("user", (cue(rng.choice(bank("post_hoc_requests").entries)), *how))
    return Prompt((*lead, Turn("user", about), planted, request))
