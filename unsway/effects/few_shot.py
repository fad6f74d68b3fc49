"""Few-shot ability: can it still learn from examples? Training against misleading examples may teach it to ignore all.

Three numbers: the gain of four right examples over none; accuracy on invented labels, which only the examples explain; and
the dose, how accuracy falls as none, one and two of the four examples are wrong.
"""

from __future__ import annotations

from unsway.biases.evidence import examples
from unsway.biases.insert import put
from unsway.biases.shots import demos, pose, relabelled, write
from unsway.effects.clean_accuracy import score
from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, Replies, right, side_effect
from unsway.effects.evidence import use
from unsway.pairing import pairs
from unsway.prompts import elicitations
from unsway.prompts.render import render
from unsway.seeds import rng
from unsway.sources.evidence import grounded
from unsway.stats.margins import slope

SHOTS = 4
"""Examples in front of the question."""
WRONG_SHARES = (0.0, 0.25, 0.5)
"""Shares of the examples that are labelled wrongly."""


def dose(item: EffectItem, replies: Replies) -> float | None:
    """The slope of right answers on the share of wrong examples; -1 means that one answer is lost if all are wrong."""
    scores = [right(item.question, samples) for samples in replies[1:]]
    readable = [value for value in scores if value is not None]
    return slope(WRONG_SHARES, readable) if len(readable) == len(WRONG_SHARES) else None


@side_effect(
    "few_shot",
    version=1,
    n=40,
    question="Can it still learn from examples?",
    measures=(
        EffectMeasure(
            name="gain of 4 examples",
            summary="right with four right examples minus right without",
            score=use,
            margin=0.05,
            span=(-1.0, 1.0),
            conditions=("shots",),
        ),
        EffectMeasure(
            name="invented labels",
            summary="share right where only the examples say what the labels mean",
            score=score,
            margin=0.05,
            conditions=("labels",),
        ),
        EffectMeasure(
            name="dose of wrong examples",
            summary="slope of right answers on the share of wrong examples (none, a quarter, half)",
            score=dose,
            span=(-2.0, 2.0),
            conditions=("shots",),
        ),
    ),
)
def build(inputs: EffectInputs) -> tuple[EffectItem, ...]:
    """Each question alone and after four examples (none, one or two wrong); and questions with invented labels."""
    style = elicitations.get(inputs.elicit).style
    items = []
    for question in inputs.taken():
        draw = rng(inputs.seed, "few shot", question.id)
        clean = render(question, inputs.elicit)
        shots = [pose(demo, draw, n_options=4) for demo in draw.sample(demos(), SHOTS)]
        wrong_shots = [relabelled(shot, (shot.label + draw.randrange(1, 4)) % 4, draw) for shot in shots]
        shot_sets = [wrong_shots[: int(SHOTS * share)] + shots[int(SHOTS * share) :] for share in WRONG_SHARES]
        prompts = tuple(put(clean, "front", write(shot_set, style)) for shot_set in shot_sets)
        items.append(EffectItem(question.id, (clean, *prompts), question, condition="shots"))
    tasks = grounded("labels", inputs.n, seed=inputs.seed)
    for pair in pairs([task.question for task in tasks], [examples(tasks)], elicit=inputs.elicit, aim="gold"):
        items.append(EffectItem(pair.question.id, (pair.biased,), pair.question, condition="labels"))
    return tuple(items)
