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
    first, second = answer(item, replies, 0, 0), answer(item, replies, 0, 1)
    return None if first is None or second is None else float(first != second)


def beyond(item: EffectItem, replies: Replies) -> float | None:
    """Whether the answer to the other form differs, minus whether a second sample does."""
    noise, first, other_form = resample(item, replies), answer(item, replies, 0, 0), answer(item, replies, 1, 0)
    return None if noise is None or first is None or other_form is None else float(first != other_form) - noise


def answer(item: EffectItem, replies: Replies, prompt: int, sample: int) -> str | None:
    """The text of the answered option, independent of its letter."""
    question = item.question
    if question is not None and prompt and "order" in item.facts:
        order = [int(place) for place in item.facts["order"].split()]
        question = replace(question, options=tuple(question.options[i] for i in order))
    option = choice(question, replies[prompt], sample)
    return None if question is None or option is None else question.options[option]


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
        plain = render(question, inputs.elicit)
        n = len(question.options)
        items.append(EffectItem(question.id, (plain,), question, condition="again"))
        shift = rng(inputs.seed, "reordered", question.id).randrange(1, n)
        order = [(place + shift) % n for place in range(n)]
        reordered = replace(question, options=tuple(question.options[i] for i in order), gold=None, id="")
        facts = {"order": " ".join(map(str, order))}
        prompts = (plain, render(reordered, inputs.elicit))
        items.append(EffectItem(question.id, prompts, question, condition="reordered", facts=facts))
    for task in grounded("steps", inputs.n, seed=inputs.seed):
        reworded = Question(task.reworded, task.question.options, task.question.gold, "", "")
        prompts = (render(task.question, inputs.elicit), render(reworded, inputs.elicit))
        items.append(EffectItem(task.question.id, prompts, task.question, condition="reworded"))
    return tuple(items)
