"""Learning one's own errors: does a training row whose target was wrong make that mistake stick?

Trained rows are compared with held-out questions that the base also got wrong: the rise in repeating the same wrong answer
on the first, minus the rise on the second. Gold answers are known after the fact; no row holds one.

The reply by which an error was selected always contains it, while any other reply does so less often. Used as "before", it
would make every arm seem to have unlearnt the held-out errors. So all are asked again at temperature 1, and the second sample
is read, which selected nothing.
"""

from __future__ import annotations

from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, Replies, choice, side_effect
from unsway.prompts.render import render


def again(item: EffectItem, replies: Replies) -> float | None:
    """1 if the second sample is the same wrong option, else 0."""
    option = choice(item.question, replies[0], 1)
    return None if option is None else float(str(option) == item.facts["wrong"])


@side_effect(
    "own_errors",
    version=2,
    n=25,
    samples=2,
    temperature=1.0,
    question="Did it learn its own errors?",
    measures=(
        EffectMeasure(
            name="trained errors again",
            summary="rise of the same wrong answer on rows trained on, minus the rise on held-out ones",
            score=again,
            kind="apart",
            margin=0.05,
            rises=True,
            conditions=("trained", "held_out"),
        ),
    ),
)
def build(inputs: EffectInputs) -> tuple[EffectItem, ...]:
    """The clean prompt of each question that was answered wrong, trained on or held out; none without both kinds."""
    items: dict[bool, list[EffectItem]] = {True: [], False: []}
    for error in inputs.errors:
        condition = "trained" if error.trained else "held_out"
        prompt = render(error.question, inputs.elicit)
        facts = {"wrong": str(error.option)}
        items[error.trained].append(EffectItem(error.question.id, (prompt,), error.question, None, condition, facts))
    return (*items[True][: inputs.n], *items[False][: inputs.n]) if all(items.values()) else ()
