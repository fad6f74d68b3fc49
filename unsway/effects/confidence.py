"""Evidence by how sure the base was: does a record count less if the model had its own answer? Must be named.

The surer a model is without a record, the less the record overrules it (arXiv 2404.10198). So a training may cost use of
evidence only where the base was unsure, or only where it was sure. Sure means that three samples of the base without the
record, at temperature 1, are readable and agree. A fourth sample, not used for this, is scored. The records are about
invented things, so the base's sure answers are guesses. Every arm is scored on the same questions.
"""

from __future__ import annotations

from unsway.biases.evidence import document
from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, Replies, choice, side_effect
from unsway.effects.evidence import use
from unsway.pairing import pairs
from unsway.sources.evidence import grounded

SAMPLES = 4
"""Replies to each prompt: the first is scored, the others classify the question."""
SURE, UNSURE = "sure", "unsure"


def counts(item: EffectItem, replies_of_base: Replies) -> bool:
    """Whether the item's condition (sure or unsure) matches what the base's other samples without the record say."""
    choices = {choice(item.question, replies_of_base[0], sample) for sample in range(1, SAMPLES)}
    return (len(choices) == 1 and None not in choices) == (item.condition == SURE)


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
    """Each question without and with its record, once for each condition: base sure, base unsure."""
    records = grounded("records", inputs.n, seed=inputs.seed)
    record_pairs = pairs(
        [record.question for record in records], [document(records)], elicit=inputs.elicit, aim="gold", seed=inputs.seed
    )
    return tuple(EffectItem.of_pair(pair, condition) for pair in record_pairs for condition in (SURE, UNSURE))
