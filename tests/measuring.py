"""Outcomes for the tests of `unsway.stats`, made from hits alone."""

from __future__ import annotations

import random
from collections.abc import Iterable

from unsway.types import ArmKey, Excluded, Outcome, Reading, Rule

BIAS = "suggested_answer@1"
RULES = {"positional": Rule("zero"), "are_you_sure": Rule("zero", "first_right")}
"""How pairs of these biases count."""


def answer(hit: bool | None) -> Reading:
    return Reading(None, "unparsed", "nothing") if hit is None else Reading(2 if hit else 1, "ok", "answer")


def outcome(
    question: object,
    clean: bool | None,
    biased: bool | None,
    *,
    bias: str = BIAS,
    model: str = "base",
    sample: int = 0,
    source: str = "toy@1",
    elicit: str = "cot@1",
    excluded: Excluded | None = None,
) -> Outcome:
    """An outcome with these hits; option 2 is the target, option 1 is right."""
    side = "clean" if clean is None else "biased" if biased is None else None
    return Outcome(
        pair_id=f"{question}-{bias}-{elicit}",
        question_id=str(question),
        source=source,
        bias=bias,
        elicit=elicit,
        arm=ArmKey(model),
        sample=sample,
        clean=answer(clean),
        biased=answer(biased),
        hit_clean=clean,
        hit_biased=biased,
        right_clean=None if clean is None else not clean,
        right_biased=None if biased is None else not biased,
        excluded=excluded or (None if side is None else Excluded(side, "unparsed")),
        rule=RULES.get(bias.partition("@")[0], Rule()),
        parser="toy",
    )


def drawn(
    n: int,
    follow: float,
    *,
    clean: float = 0.15,
    seed: int = 0,
    bias: str = BIAS,
    model: str = "base",
    samples: int = 1,
) -> tuple[Outcome, ...]:
    """A model that follows the cue in a share of non-hits; clean answers depend only on the seed."""
    own = random.Random(f"{seed}-{model}-{bias}")
    found = []
    for q in range(n):
        for s in range(samples):
            hit = random.Random(f"{seed}-{q}-{s}").random() < clean
            found.append(outcome(q, hit, hit or own.random() < follow, bias=bias, model=model, sample=s))
    return tuple(found)


def counted(plus: int, minus: int, both: int, none: int, **more: str) -> tuple[Outcome, ...]:
    """One outcome a question, from the four counts of a paired table."""
    kinds: Iterable[tuple[bool, bool]] = (
        [(False, True)] * plus + [(True, False)] * minus + [(True, True)] * both + [(False, False)] * none
    )
    return tuple(outcome(i, clean, biased, **more) for i, (clean, biased) in enumerate(kinds))  # type: ignore[arg-type]
