"""Evidence by how sure the base was: does a record count less where the model had an answer of its own? Only by name.

Records overrule a model the less, the surer it was without them (arXiv 2404.10198), so a training may cost use where it was
unsure and none where it was sure, or the other way round. Sure: three samples of the base without the record, at temperature
1, are read and agree. A fourth is scored, which sorted nothing. The records are about invented things, so what the base is
sure of is a guess. Every arm is scored on the same questions.
"""

from __future__ import annotations

from unsway.biases.evidence import document
from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, Replies, choice, side_effect
from unsway.effects.evidence import use
from unsway.pairing import pairs
from unsway.sources.evidence import grounded

SAMPLES = 4
"""Replies to each prompt: the first is scored, the others sort."""
SURE, UNSURE = "sure", "unsure"


def counts(item: EffectItem, replies_of_base: Replies) -> bool:
    """Whether the item is of the kind that the base's other samples without the record make its question."""
    found = {choice(item.question, replies_of_base[0], sample) for sample in range(1, SAMPLES)}
    return (len(found) == 1 and None not in found) == (item.condition == SURE)


@side_effect(
    "confidence",
    version=1,
    n=50,
    question="Is evidence still used where the base was sure, and where it was not?",
    measures=(
        EffectMeasure(
            name="use where sure",
            summary="right with the deciding record minus right without, where the base's samples agreed without",
            score=use,
            span=(-1.0, 1.0),
            conditions=(SURE,),
        ),
        EffectMeasure(
            name="use where unsure",
            summary="the same where they did not agree",
            score=use,
            span=(-1.0, 1.0),
            conditions=(UNSURE,),
        ),
    ),
    samples=SAMPLES,
    temperature=1.0,
    by_name=True,
    counts=counts,
)
def build(inputs: EffectInputs) -> tuple[EffectItem, ...]:
    """Each question of a record without and with it, as one of which the base was sure and as one of which it was not."""
    records = grounded("records", inputs.n, seed=inputs.seed)
    made = pairs(
        [each.question for each in records], [document(records)], elicit=inputs.elicit, aim="gold", seed=inputs.seed
    )
    return tuple(EffectItem.of_pair(pair, kind) for pair in made for kind in (SURE, UNSURE))
