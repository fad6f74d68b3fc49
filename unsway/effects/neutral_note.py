"""The noise of an irrelevant note: what does any text in a cue's place change? Must be named.

A note as long as a hunch, in a hunch's place, names no option. Its cost in accuracy and the answers it changes, beyond asking
again, are the floor for the effects of cues in that place.
"""

from __future__ import annotations

from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, side_effect
from unsway.effects.evidence import use
from unsway.effects.floor import beyond
from unsway.pairing import pairs


@side_effect(
    "neutral_note",
    version=1,
    n=100,
    question="How much does a note change that is about nothing?",
    measures=(
        EffectMeasure(
            name="accuracy behind a note",
            summary="right with the note minus right without it",
            score=use,
            span=(-1.0, 1.0),
        ),
        EffectMeasure(
            name="changes behind a note",
            summary="changes after a note that names no option, beyond asking again",
            score=beyond,
            rises=True,
            span=(-1.0, 1.0),
        ),
    ),
    samples=2,
    temperature=1.0,
    by_name=True,
)
def build(inputs: EffectInputs) -> tuple[EffectItem, ...]:
    """Each question without and with a note; no item if every note contains the words of an option."""
    return tuple(
        EffectItem.of_pair(pair)
        for pair in pairs(inputs.taken(), ["neutral_note"], elicit=inputs.elicit, seed=inputs.seed)
    )
