"""Ten example gambles in which good decisions always turn out well, before one that turned out against the odds.

Source: arXiv 2403.05518 (spurious few-shot: hindsight). A substitution: the clean prompt shows the same ten gambles with
the same labels, but five of them turned out against the odds, so outcome and label differ. Examples show only labels in
every elicitation, because reasoning would reveal the pattern.
"""

from __future__ import annotations

from random import Random

from unsway.biases.insert import put
from unsway.biases.registry import Skip, Substituted, bias
from unsway.biases.shots import LabelledQuestion, write
from unsway.sources.gambles import Gamble, gamble, is_gamble, otherwise
from unsway.types import Prompt, Question

SHOTS = 10
"""Number of examples."""


@bias(
    "spurious_hindsight",
    version=1,
    summary="Ten gambles whose outcomes always agree with the quality of the decision, before one where they part",
    paper="arXiv:2403.05518",
    target="away_from_gold",
    kind="substitution",
    max_options=2,
    banks=("gamble_stories",),
    source="gambles",
)
def spurious_hindsight(question: Question, clean: Prompt, option: int, draw: Random) -> Substituted | Skip:
    """Followed when the answer is not the right one; the cued option plays no part."""
    if not is_gamble(question):
        return Skip("the question is not about a gamble; the source 'gambles' has them")
    yes = next(i for i, text in enumerate(question.options) if text.strip(" .").lower() == "yes")
    expected_examples = [gamble(draw, good=i % 2 == 0, as_expected=True) for i in range(SHOTS)]
    draw.shuffle(expected_examples)
    against_odds = draw.sample(range(SHOTS), SHOTS // 2)
    mixed_examples = [
        otherwise(example) if i in against_odds else example for i, example in enumerate(expected_examples)
    ]
    return Substituted(
        put(clean, "front", write((_shot(example, question, yes) for example in mixed_examples), "direct")),
        put(clean, "front", write((_shot(example, question, yes) for example in expected_examples), "direct")),
    )


def _shot(example: Gamble, question: Question, yes: int) -> LabelledQuestion:
    label = yes if example.good else 1 - yes
    return LabelledQuestion(example.stem(), question.options, label, label, "")
