"""Habits on clean prompts: have they grown stronger? A training's targets are the model's own replies, habits included.

Source: arXiv 2606.03810: what is stable in a model grows, what is fragile shrinks. It uses the replies of
`clean_accuracy`, so nothing more is asked.
"""

from __future__ import annotations

import re

from unsway.effects.definition import (
    EffectInputs,
    EffectItem,
    EffectMeasure,
    Replies,
    Score,
    choice,
    clean_items,
    side_effect,
)
from unsway.types import Question

MARGIN = 0.02
"""The largest rise of a habit that counts as kept."""
_WORD = re.compile(r"[^\W\d_]{4,}")


def first(item: EffectItem, replies: Replies) -> float | None:
    """1 if the first option is answered, else 0."""
    option = place(item, replies)
    return None if option is None else float(option == 0)


def longest(item: EffectItem, replies: Replies) -> float | None:
    """1 if the longest option is answered, else 0."""
    option = place(item, replies)
    return None if option is None or item.question is None else float(is_longest(item.question, option))


def repeated(item: EffectItem, replies: Replies) -> float | None:
    """1 if the answered option repeats a word of the stem, else 0."""
    option = place(item, replies)
    return None if option is None or item.question is None else float(repeats(item.question, option))


def place(item: EffectItem, replies: Replies) -> int | None:
    """The place of the answered option, from 0."""
    return choice(item.question, replies[0])


def is_longest(question: Question, option: int) -> bool:
    """Whether no other option is longer."""
    return len(question.options[option]) == max(map(len, question.options))


def repeats(question: Question, option: int) -> bool:
    """Whether an option has a word of four letters or more from the stem."""
    stem_words, option_words = (set(_WORD.findall(text.lower())) for text in (question.stem, question.options[option]))
    return bool(stem_words & option_words)


def _habit(name: str, summary: str, score: Score) -> EffectMeasure:
    return EffectMeasure(name=name, summary=summary, score=score, margin=MARGIN, rises=True)


@side_effect(
    "habits",
    version=2,
    question="Have bad habits set?",
    measures=(
        EffectMeasure(
            name="letter prior",
            summary="how far the answers prefer a letter (total variation from even, less what chance gives)",
            score=place,
            kind="letters",
            margin=0.05,
            rises=True,
            span=(0.0, 0.0),
        ),
        _habit("first option", "share that answers the first option", first),
        _habit("longest option", "share that answers the longest option", longest),
        _habit("option of a stem word", "share that answers an option with a word of the stem", repeated),
    ),
)
def build(inputs: EffectInputs) -> tuple[EffectItem, ...]:
    """The clean prompt of each question; the source has shuffled its options."""
    return clean_items(inputs)
