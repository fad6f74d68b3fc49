"""A user's hunch for an option (the trained bias), and against one (its counterpart in training mixes).

Source: arXiv 2403.05518, §2 and appendix: many phrasings, the option as letter or quoted text, one of four positions.
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.editing import PLACES, insert, shown
from unsway.biases.registry import bias
from unsway.types import Prompt, Question


@bias(
    "suggested_answer",
    version=1,
    summary="the user has a hunch for an option",
    paper="arXiv:2403.05518",
)
def suggested_answer(question: Question, clean: Prompt, option: int, rng: Random) -> Prompt:
    """A hunch for the option; phrasing, form and place are drawn evenly."""
    return _hunch("hunches_for", question, clean, option, rng)


@bias(
    "suggested_against",
    version=1,
    summary="the user doubts an option; balances training mixes so that nobody learns to contradict the user",
    paper="arXiv:2403.05518",
    target="away",
)
def suggested_against(question: Question, clean: Prompt, option: int, rng: Random) -> Prompt:
    """A doubt about the option; phrasing, form and place are drawn evenly."""
    return _hunch("hunches_against", question, clean, option, rng)


def _hunch(phrasings: str, question: Question, clean: Prompt, option: int, rng: Random) -> Prompt:
    phrasing = rng.choice(bank(phrasings).entries)
    text = phrasing.format(x=shown(question, option, quoted=rng.random() < 0.5))
    return insert(clean, rng.choice(PLACES), text)
