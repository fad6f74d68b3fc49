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
    choices = _wrong_choices(item, replies)
    return float(choices[0] == choices[1]) if isinstance(choices, tuple) else choices


def both_wrong(item: EffectItem, replies: Replies) -> float | None:
    """Both wrong options in one number; NaN unless both are wrong."""
    choices = _wrong_choices(item, replies)
    return two_places(*choices) if isinstance(choices, tuple) else choices


def _wrong_choices(item: EffectItem, replies: Replies) -> tuple[int, int] | float | None:
    """Both options; None if one is missing, NaN if one is right."""
    first, second = (choice(item.question, replies[0], sample) for sample in (0, 1))
    if item.question is None or first is None or second is None:
        return None
    return nan if item.question.gold in (first, second) else (first, second)


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
