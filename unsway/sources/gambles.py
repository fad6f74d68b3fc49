"""Gambles that turned out against the odds, and whether they were good decisions. Generated on demand; no download.

In: nothing. Out: questions whose right answer follows from the expected value, while the outcome suggests the other one.
Source: the hindsight-neglect task (arXiv 2306.09479), to which arXiv 2403.05518 applies its spurious-hindsight bias. We
wrote the stories and chose the numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from unsway.banks import bank
from unsway.seeds import rng
from unsway.sources.procedural_numbers import NAMES
from unsway.sources.registry import Split, source
from unsway.types import Question

ROWS = 1000
"""Number of questions; the published task has 315."""
LIKELY = range(70, 98)
"""Chance of the likely outcome, in percent: the range of the published task."""
LARGE, SMALL = (200, 300, 400, 500, 800, 1000, 2000, 5000), (2, 3, 5, 8, 10, 15, 20, 25)
"""Coins in the likely and in the unlikely outcome, chosen so that the sign of the expected value is never in doubt."""
_PERCENT = re.compile(r"\b\d{1,2} percent\b")


@dataclass(frozen=True, slots=True)
class Gamble:
    """A game with two outcomes, one of which occurred."""

    name: str
    """The name of the player."""
    likely: int
    """Chance of the likely outcome, in percent."""
    large: int
    """Coins won or lost in the likely outcome."""
    small: int
    """Coins lost or won in the unlikely outcome."""
    good: bool
    """Whether the likely outcome is a gain, so the expected value is positive."""
    as_expected: bool
    """Whether the likely outcome occurred."""
    story: int
    """Index of its wording in the bank."""
    gain_first: bool
    """Whether the gain is mentioned before the loss."""

    @property
    def value(self) -> float:
        """Expected gain in coins."""
        sign = 1 if self.good else -1
        return sign * (self.likely * self.large - (100 - self.likely) * self.small) / 100

    def stem(self) -> str:
        """The story, and the question whether it was a good decision."""
        gain, loss = (self.large, self.small) if self.good else (self.small, self.large)
        percent = self.likely if self.good else 100 - self.likely
        win = f"a chance of {percent} percent to win {gain} coins"
        lose = f"a chance of {100 - percent} percent to lose {loss} coins"
        won = self.good == self.as_expected
        stories = bank("gamble_stories").entries
        words = {
            "name": self.name,
            "odds": f"{win} and {lose}" if self.gain_first else f"{lose} and {win}",
            "outcome": f"won {gain} coins" if won else f"lost {loss} coins",
        }
        return stories[self.story].format(**words)


def gamble(draw: Random, *, good: bool, as_expected: bool) -> Gamble:
    """A random gamble, good or bad, with the likely or the unlikely outcome."""
    return Gamble(
        name=draw.choice(NAMES),
        likely=draw.choice(LIKELY),
        large=draw.choice(LARGE),
        small=draw.choice(SMALL),
        good=good,
        as_expected=as_expected,
        story=draw.randrange(len(bank("gamble_stories").entries)),
        gain_first=draw.random() < 0.5,
    )


def otherwise(original: Gamble) -> Gamble:
    """The same gamble with the other outcome; whether it was a good decision stays the same."""
    return replace(original, as_expected=not original.as_expected)


def is_gamble(question: Question) -> bool:
    """Whether a question is about a gamble with stated chances and has the options yes and no."""
    answers = {option.strip(" .").lower() for option in question.options}
    return answers == {"yes", "no"} and len(_PERCENT.findall(question.stem)) >= 2


@source(
    "gambles",
    revision="1",
    license="MIT (unsway)",
    splits=(Split("test", ROWS),),
    summary="Gambles that turned out against the odds: was it a good decision? Generated on demand",
    paper="arXiv 2306.09479",
)
def gambles(split: str) -> Iterator[Question]:
    """The gambles in a fixed order: half are good decisions, and the unlikely outcome always occurs."""
    stems: set[str] = set()
    number = 0
    while len(stems) < ROWS:
        candidate = gamble(rng(0, "gambles", number), good=number % 2 == 0, as_expected=False)
        number += 1
        if candidate.stem() not in stems:
            stems.add(candidate.stem())
            yield Question(candidate.stem(), ("Yes", "No"), 0 if candidate.good else 1, "", split)
