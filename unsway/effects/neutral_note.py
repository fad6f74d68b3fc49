"""The noise of a note that is about nothing: what does any text at a cue's place change? Only by name.

A note as long as a hunch, at a hunch's places, names no option. What it costs in accuracy and how many answers it changes,
beyond asking again, is the floor under what cues do at their place.
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
    """Each question without and with a note; where every note holds the words of an option there is none."""
    return tuple(
        EffectItem.of_pair(pair)
        for pair in pairs(inputs.taken(), ["neutral_note"], elicit=inputs.elicit, seed=inputs.seed)
    )
