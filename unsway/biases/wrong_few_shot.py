"""The very question stands among a few shots, labelled with the option; the user asks to ignore wrong labels.

Source: arXiv 2403.05518, §2 (Wrong Few-Shot). Two readings were published and both exist here: context shots labelled
correctly, or labelled arbitrarily (the released prompts; see docs/parity.md).
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.editing import Demo, around, demos, labelled
from unsway.biases.registry import bias
from unsway.types import Prompt, Question

MOST_SHOTS = 4
"""Other shots around the question: 1 to 4, drawn evenly, as in the released prompts."""


@bias(
    "wrong_few_shot",
    version=1,
    summary="the very question is among the shots with a label; the other labels are right",
    paper="arXiv:2403.05518",
)
def wrong_few_shot(question: Question, clean: Prompt, option: int, rng: Random) -> Prompt:
    """Context shots carry their right label."""
    context = [(demo, demo.gold) for demo in _context(rng)]
    return _shots(question, clean, option, context, rng)


@bias(
    "wrong_few_shot_arbitrary",
    version=1,
    summary="the very question is among the shots with a label; the other labels are arbitrary",
    paper="arXiv:2403.05518",
)
def wrong_few_shot_arbitrary(question: Question, clean: Prompt, option: int, rng: Random) -> Prompt:
    """Context shots carry any of their labels."""
    context = [(demo, rng.randrange(len(demo.options))) for demo in _context(rng)]
    return _shots(question, clean, option, context, rng)


def _context(rng: Random) -> list[Demo]:
    return rng.sample(demos(), rng.randint(1, MOST_SHOTS))


def _shots(question: Question, clean: Prompt, option: int, context: list[tuple[Demo, int]], rng: Random) -> Prompt:
    shots = [labelled(demo.stem, demo.options, label) for demo, label in context]
    shots.append(labelled(question.stem, question.options, option))
    order = rng.sample(shots, len(shots))
    opening, closing = bank("few_shot_frames").entries
    before = "\n\n".join([opening, *order, "Now your question:"])
    return around(clean, before, closing)
