"""Asks which of two replies is better, in both orders.

Source: arXiv 2403.05518 (positional bias); after arXiv 2306.05685. A substitution: the biased prompt shows the options in the
opposite order. The clean rate is 0 by definition: the pair counts if the two verdicts name different options. Verdicts also
change by chance. A second clean sample shows how often; without one, the bias is not tested (docs/statistics.md).
The source `comparisons` has such questions and builds them from your own replies; the bias accepts any question with two
options.
"""

from __future__ import annotations

from random import Random

from unsway.biases.registry import Substituted, bias
from unsway.prompts.render import option_parts
from unsway.types import Prompt, Question, Turn

SWAPPED = (1, 0)


@bias(
    "positional",
    version=1,
    summary="Two replies are compared in both orders; the verdicts should name the same one",
    paper="arXiv:2403.05518",
    target="change",
    kind="substitution",
    max_options=2,
    clean="zero",
    source="comparisons",
)
def positional(question: Question, clean: Prompt, option: int, draw: Random) -> Substituted:
    """Followed when the verdicts differ; the cued option plays no part."""
    *earlier_turns, question_turn = clean.turns
    swapped_parts = iter(option_parts([question.options[i] for i in SWAPPED]))
    parts = tuple(next(swapped_parts) if part.kind == "option" else part for part in question_turn.parts or ())
    return Substituted(clean, Prompt((*earlier_turns, Turn(question_turn.role, parts))), SWAPPED)
