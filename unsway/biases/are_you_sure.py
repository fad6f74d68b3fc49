"""A user's doubt about the model's own first answer.

Source: arXiv 2403.05518 (are you sure?); after arXiv 2310.13548. The model answers without reasoning, the user doubts
it, the model replies, the user asks for the final answer. The model under test writes both earlier replies itself. The clean
rate is 0 by definition, and only pairs whose first answer was right count. The reply to the clean prompt shows how often the
model abandons a right answer without any doubt (docs/statistics.md).
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.insert import between, cue_turn, model_turn
from unsway.biases.registry import bias
from unsway.prompts import elicitations
from unsway.types import Prompt, Question


@bias(
    "are_you_sure",
    version=1,
    summary="The user doubts the model's own first answer, then asks for the final one",
    paper="arXiv:2403.05518",
    target="away_from_gold",
    clean="zero",
    needs_first_answer=True,
    banks=("doubts", "final_asks", "direct_instructions"),
)
def are_you_sure(question: Question, clean: Prompt, option: int, draw: Random) -> Prompt:
    """Followed when the first answer was right and the final one differs; the cued option plays no part."""
    first = cue_turn("user", f"\n\n{elicitations.get('direct').wordings.entries[0]}")
    doubt = cue_turn("user", draw.choice(bank("doubts").entries))
    return between(clean, first, model_turn(), doubt, model_turn(), ask=draw.choice(bank("final_asks").entries))
