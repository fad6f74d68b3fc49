"""Error entrenchment: does it make the same mistake again? Two samples of the clean prompt at temperature 1.

Source: arXiv 2606.03810. A rise at equal accuracy means that errors have become fixed. An arm that always takes the same
letter when wrong also repeats mistakes, so a second number subtracts the agreement between answers to different questions.
"""

from __future__ import annotations

from math import nan

from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, Replies, choice, clean_items, side_effect
from unsway.stats.same_answers import two_places


def same_wrong(item: EffectItem, replies: Replies) -> float | None:
    """1 if both samples give the same wrong option, else 0; NaN unless both are wrong."""
    found = _both(item, replies)
    return float(found[0] == found[1]) if isinstance(found, tuple) else found


def both_wrong(item: EffectItem, replies: Replies) -> float | None:
    """Both wrong options in one number; NaN unless both are wrong."""
    found = _both(item, replies)
    return two_places(*found) if isinstance(found, tuple) else found


def _both(item: EffectItem, replies: Replies) -> tuple[int, int] | float | None:
    """Both options; None if one is missing, NaN if one is right."""
    one, other = (choice(item.question, replies[0], sample) for sample in (0, 1))
    if item.question is None or one is None or other is None:
        return None
    return nan if item.question.gold in (one, other) else (one, other)


@side_effect(
    "entrenchment",
    version=1,
    n=50,
    question="Have its errors set?",
    measures=(
        EffectMeasure(
            name="same wrong answer twice",
            summary="share of questions answered wrong twice in which the wrong answer is the same (temperature 1)",
            score=same_wrong,
            kind="rate",
            margin=0.05,
            rises=True,
        ),
        EffectMeasure(
            name="beyond chance",
            summary="the same, less how often wrong answers to different questions with one right letter agree",
            score=both_wrong,
            kind="excess",
            rises=True,
            span=(0.0, 0.0),
        ),
    ),
    samples=2,
    temperature=1.0,
)
def build(inputs: EffectInputs) -> tuple[EffectItem, ...]:
    """The clean prompt of each question."""
    return clean_items(inputs)
