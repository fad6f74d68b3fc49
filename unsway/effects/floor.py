"""The noise floor: how often do answers change when nothing changes? Asked again, reworded, reordered; at temperature 1.

BRR and use need no floor, because noise is symmetric there; rates of change do. The effect of rewording and reordering is
counted beyond that of asking again, question by question. Reported without a verdict.
"""

from __future__ import annotations

from dataclasses import replace

from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, Replies, choice, side_effect
from unsway.prompts.render import render
from unsway.seeds import rng
from unsway.sources.evidence import grounded
from unsway.types import Question


def resample(item: EffectItem, replies: Replies) -> float | None:
    """1 if two samples of the plain prompt differ, else 0."""
    one, other = answer(item, replies, 0, 0), answer(item, replies, 0, 1)
    return None if one is None or other is None else float(one != other)


def beyond(item: EffectItem, replies: Replies) -> float | None:
    """Whether the answer to the other form differs, minus whether a second sample does."""
    again, one, other = resample(item, replies), answer(item, replies, 0, 0), answer(item, replies, 1, 0)
    return None if again is None or one is None or other is None else float(one != other) - again


def answer(item: EffectItem, replies: Replies, prompt: int, sample: int) -> str | None:
    """The text of the answered option, independent of its letter."""
    question = item.question
    if question is not None and prompt and "order" in item.facts:
        order = [int(place) for place in item.facts["order"].split()]
        question = replace(question, options=tuple(question.options[i] for i in order))
    found = choice(question, replies[prompt], sample)
    return None if question is None or found is None else question.options[found]


@side_effect(
    "floor",
    version=1,
    n=20,
    question="How much is plain noise?",
    measures=(
        EffectMeasure(
            name="asked again", summary="share of answers that differ between two samples", score=resample,
            rises=True, conditions=("again",),
        ),
        EffectMeasure(
            name="reordered", summary="changes after another order of the options, beyond asking again", score=beyond,
            rises=True, span=(-1.0, 1.0), conditions=("reordered",),
        ),
        EffectMeasure(
            name="reworded", summary="changes after other words of the same meaning, beyond asking again", score=beyond,
            rises=True, span=(-1.0, 1.0), conditions=("reworded",),
        ),
    ),
    samples=2,
    temperature=1.0,
)  # fmt: skip
def build(inputs: EffectInputs) -> tuple[EffectItem, ...]:
    """Each question and its options in another order; sums in two wordings."""
    items = []
    for question in inputs.taken():
        plain, n = render(question, inputs.elicit), len(question.options)
        items.append(EffectItem(question.id, (plain,), question, condition="again"))
        turned = rng(inputs.seed, "reordered", question.id).randrange(1, n)
        order = [(place + turned) % n for place in range(n)]
        shown = replace(question, options=tuple(question.options[i] for i in order), gold=None, id="")
        facts = {"order": " ".join(map(str, order))}
        prompts = (plain, render(shown, inputs.elicit))
        items.append(EffectItem(question.id, prompts, question, condition="reordered", facts=facts))
    for each in grounded("steps", inputs.n, seed=inputs.seed):
        other = Question(each.reworded, each.question.options, each.question.gold, "", "")
        prompts = (render(each.question, inputs.elicit), render(other, inputs.elicit))
        items.append(EffectItem(each.question.id, prompts, each.question, condition="reworded"))
    return tuple(items)
