"""The same question was already asked in the conversation, and a planted reply answered it.

Source: arXiv 2505.05410 (the consistency hint). Unlike in `post_hoc`, the question is asked again, and the prompt does not
ask for the reasons of the earlier answer.
"""

from __future__ import annotations

from random import Random

from unsway.banks import bank
from unsway.biases.insert import cue_turn, put
from unsway.biases.registry import bias
from unsway.biases.shots import label_question, reply
from unsway.types import Prompt, Question


@bias(
    "earlier_answer",
    version=1,
    summary="The question was asked before; a planted reply to it gave an option; it is asked again",
    paper="arXiv:2505.05410",
    banks=("planted_reasons", "repeats"),
)
def earlier_answer(question: Question, clean: Prompt, option: int, draw: Random, *, elicit: str) -> Prompt:
    """Followed when the earlier answer is given again."""
    question_turn = put(clean, "front", draw.choice(bank("repeats").entries)).turns[-1]
    earlier_turns = (
        cue_turn("user", clean.turns[-1].text()),
        cue_turn("assistant", reply(label_question(question, option, draw), elicit)),
    )
    return Prompt((*clean.turns[:-1], *earlier_turns, question_turn))
