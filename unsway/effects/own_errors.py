"""Learning one's own errors: does a training row whose target was wrong make that mistake stick?

Trained rows are compared with held-out questions that the base got wrong too: the rise of giving that same wrong answer
again on the first, minus the rise on the second. Gold answers are known after the fact; no row holds one.

A reply that an error was chosen by says it for certain, and any other reply less often: read again as "before", it would
make every arm look as if it had unlearnt the held-out errors alone. So all are asked anew at temperature 1, and the second
sample is read, which chose nothing.
"""

from __future__ import annotations

from unsway.effects.definition import EffectInputs, EffectItem, EffectMeasure, Replies, choice, side_effect
from unsway.prompts.render import render


def again(item: EffectItem, replies: Replies) -> float | None:
    """1 where the second sample is the same wrong option."""
    found = choice(item.question, replies[0], 1)
    return None if found is None else float(str(found) == item.facts["wrong"])


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
