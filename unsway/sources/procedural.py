"""Procedural questions: made on the spot by our own generators, so there is nothing to download and nothing leaked.

In: a kind, a difficulty level (1 to 3) and a seed. Out: questions with exactly one right option and wrong options that
come from plausible slips (a forgotten carry, a miscounted day, the holder before the last swap).

    sources.load("procedural/arithmetic", 200)                # level 1
    sources.load("procedural/syllogisms@3", 200, seed=7)      # level 3; another seed makes other questions
    sources.load("procedural/dates@2", 50, split="train")

A question is in `train`, `validation` or `test` by a hash of its text, whatever its seed and level: the splits share
no question. How each kind makes its questions is in `made_numbers.py` and `made_logic.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import TypeAlias

from unsway.seeds import rng, seed_int
from unsway.sources.checks import visible
from unsway.sources.made_logic import ordering, syllogism, tracking
from unsway.sources.made_numbers import Made, arithmetic, counting, dates
from unsway.sources.registry import Split, source
from unsway.types import Question

Maker: TypeAlias = Callable[[int, Random], Made]

TRIES = 4000
"""How many questions are drawn for a kind, level and seed, all splits together."""
SHARES = (("train", 0.5), ("validation", 0.1), ("test", 0.4))
"""Shares of the splits: half to train on, most of the rest to measure on."""
WRONG = 3
"""Wrong options where a generator offers more: four options are the most common number among the named sources."""

_KINDS: dict[str, tuple[Maker, str]] = {
    "arithmetic": (arithmetic, "sums, from two numbers to a small story"),
    "counting": (counting, "how many of a sort are in a list"),
    "dates": (dates, "weekdays and dates before and after"),
    "ordering": (ordering, "who stands where, from pairwise comparisons"),
    "syllogisms": (syllogism, "what follows from two or three statements"),
    "tracking": (tracking, "who holds what after swaps"),
}


def split_of(stem: str) -> str:
    """The split that a question is in; depends on its text alone."""
    share = seed_int(0, "procedural split", stem) / 2**63
    for name, size in SHARES:
        if share < size:
            return name
        share -= size
    return SHARES[-1][0]


def _question(made: Made, split: str) -> Question | None:
    """The question, its right option first; None where two options read alike or fewer than two wrong ones are left."""
    wrong = [text for place, text in enumerate(made.wrong) if text not in made.wrong[:place]][:WRONG]
    seen = {visible(text) for text in (made.right, *wrong)}
    if len(seen) < len(wrong) + 1 or len(wrong) < 2:
        return None
    return Question(made.stem, (made.right, *wrong), 0, "", split)


def _rows(kind: str, make: Maker) -> Callable[..., Iterator[Question]]:
    def rows(split: str, level: int, seed: int) -> Iterator[Question]:
        stems: set[str] = set()
        for number in range(TRIES):
            made = make(level, rng(seed, "procedural", kind, level, number))
            if made.stem in stems or split_of(made.stem) != split:
                continue
            question = _question(made, split)
            if question is not None:
                stems.add(made.stem)
                yield question

    return rows


for _kind, (_make, _about) in _KINDS.items():
    source(
        f"procedural/{_kind}",
        revision="1",
        license="MIT (unsway)",
        splits=tuple(Split(name) for name, _ in SHARES),
        default="test",
        levels=(1, 2, 3),
        summary=f"Made on the spot: {_about}",
    )(_rows(_kind, _make))
