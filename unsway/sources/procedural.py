"""Procedural questions, generated on demand: nothing to download, and nothing in anyone's training data.

In: a kind, a difficulty level (1 to 3) and a seed. Out: questions with exactly one right option, and wrong options from
plausible slips (a forgotten carry, a miscounted day, the holder before the last swap).

    sources.load("procedural/arithmetic", 200)                # level 1
        sources.load("procedural/syllogisms@3", 200, seed=7)      # level 3; another seed gives other questions
    sources.load("procedural/dates@2", 50, split="train")

A hash of the text assigns each question to `train`, `validation` or `test`, whatever its seed and level, so the splits
share no question. `procedural_numbers.py` and `procedural_logic.py` generate the questions of each kind.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from random import Random
from typing import TypeAlias

from unsway.seeds import rng, seed_int
from unsway.sources.checks import visible
from unsway.sources.procedural_logic import ordering, syllogism, tracking
from unsway.sources.procedural_numbers import Puzzle, arithmetic, counting, dates
from unsway.sources.registry import Split, source
from unsway.types import Question

Maker: TypeAlias = Callable[[int, Random], Puzzle]

TRIES = 4000
"""Number of questions drawn for a kind, level and seed, over all splits."""
SHARES = (("train", 0.5), ("validation", 0.1), ("test", 0.4))
"""Shares of the splits: half for training, most of the rest for measuring."""
WRONG = 3
"""Wrong options to show if a generator offers more: four options are the most common number among the named sources."""

_KINDS: dict[str, tuple[Maker, str]] = {
    "arithmetic": (arithmetic, "sums, from two numbers to a small story"),
    "counting": (counting, "how many of a kind are in a list"),
    "dates": (dates, "weekdays and dates before and after"),
    "ordering": (ordering, "who stands where, from pairwise comparisons"),
    "syllogisms": (syllogism, "what follows from two or three statements"),
    "tracking": (tracking, "who holds what after swaps"),
}


def split_of(stem: str) -> str:
    """The split of a question; depends only on the text."""
    share = seed_int(0, "procedural split", stem) / 2**63
    for name, size in SHARES:
        if share < size:
            return name
        share -= size
    return SHARES[-1][0]


@lru_cache(maxsize=4)
def drawn(kind: str, level: int, seed: int) -> tuple[tuple[Puzzle, str], ...]:
    """The puzzles that a kind, a level and a seed generate, each with its split; all splits share these draws."""
    make, _ = _KINDS[kind]
    puzzles = (make(level, rng(seed, "procedural", kind, level, number)) for number in range(TRIES))
    return tuple((puzzle, split_of(puzzle.stem)) for puzzle in puzzles)


for _kind, (_, _about) in _KINDS.items():

    @source(
        f"procedural/{_kind}",
        revision="1",
        license="MIT (unsway)",
        splits=tuple(Split(name) for name, _ in SHARES),
        default="test",
        levels=(1, 2, 3),
        summary=f"Generated on demand: {_about}",
    )
    def rows(split: str, level: int, seed: int, kind: str = _kind) -> Iterator[Question]:
        """The questions of one kind, level and seed."""
        stems: set[str] = set()
        for puzzle, part in drawn(kind, level, seed):
            if puzzle.stem in stems or part != split:
                continue
            wrong = list(dict.fromkeys(puzzle.wrong))[:WRONG]
            alike = len({visible(text) for text in (puzzle.right, *wrong)}) < len(wrong) + 1
            if not alike and len(wrong) >= 2:
                stems.add(puzzle.stem)
                yield Question(puzzle.stem, (puzzle.right, *wrong), 0, "", split)
