"""Questions that evidence decides, generated on demand, each with the grounds that a side effect adds to its prompt.

In: a kind, a level (1 to 3) and a seed. Out: questions; `grounded` returns each with its grounds. The grounds are not part
of the question. Without them it can only be guessed (records, labels), answered in part (premises), or worked out (steps).

        sources.load("evidence/records", 200)            # what the record of an invented entity says
        grounded("records", 200)[0].grounds              # that record
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from random import Random
from typing import TypeAlias

from unsway.seeds import rng
from unsway.sources.checks import visible
from unsway.sources.procedural import SHARES, TRIES, WRONG, split_of
from unsway.sources.procedural_numbers import DAYS, NAMES, Puzzle
from unsway.sources.registry import Split, source
from unsway.types import Question


@dataclass(frozen=True, slots=True)
class GroundedPuzzle:
    """A generated question, with the evidence that decides it."""

    puzzle: Puzzle
    grounds: str
    """The evidence: a record, the withheld premise, examples, or a computed step."""
    slip: str = ""
    """A demonstrably wrong step and the answer it leads to; empty if there is none."""
    reworded: str = ""
    """The stem in other words with exactly the same meaning; empty if there are none."""


@dataclass(frozen=True, slots=True)
class Grounded:
    """A question with the evidence that decides it."""

    question: Question
    grounds: str
    """See `GroundedPuzzle.grounds`."""
    slip: str
    """See `GroundedPuzzle.slip`."""
    reworded: str
    """See `GroundedPuzzle.reworded`."""


# ---------------------------------------------------------------- records of invented entities

_SYLLABLES = ("ba", "dor", "fen", "gli", "hor", "jas", "kro", "lu", "mer", "qui", "ras", "tel", "vim", "zo")
_COLOURS = ("blue", "green", "grey", "orange", "red", "violet", "white", "yellow")
_GOODS = ("barley", "cork", "glass", "linen", "paper", "salt", "tin", "wool")
_ENTITIES = ("the bridge", "the harbour", "the mill", "the observatory", "the tower", "the village hall")
_FACTS: dict[str, tuple[str, tuple[str, ...]]] = {
    # the question, and its possible answers
    "year": ("In which year was {name} opened?", tuple(str(year) for year in range(1804, 1990, 6))),
    "colour": ("What is the colour of the door of {name}?", _COLOURS),
    "keeper": ("Who is the keeper of {name}?", NAMES),
    "goods": ("Which goods are stored at {name}?", _GOODS),
}
_FACT_SENTENCES = {
    "year": "It was opened in {value}.",
    "colour": "Its door is {value}.",
    "keeper": "Its keeper is {value}.",
    "goods": "The goods stored there are {value}.",
}


def invented(rng: Random) -> str:
    """An invented proper name of three syllables."""
    return "".join(rng.sample(_SYLLABLES, 3)).capitalize()


def record(level: int, rng: Random) -> GroundedPuzzle:
    """A question about the record of an invented place, with 2, 3 or 4 facts; level 3 adds another place's record."""
    name = f"{rng.choice(_ENTITIES)} of {invented(rng)}"
    key, *other_keys = rng.sample(sorted(_FACTS), min(level + 1, len(_FACTS)))
    stem, values = _FACTS[key]
    right, *wrong = rng.sample(values, 1 + WRONG)
    facts = [_FACT_SENTENCES[key].format(value=right)]
    facts += [_FACT_SENTENCES[other_key].format(value=rng.choice(_FACTS[other_key][1])) for other_key in other_keys]
    rng.shuffle(facts)
    text = f"Record of {name}. {' '.join(facts)}"
    if level == 3:
        text += f" Record of {rng.choice(_ENTITIES)} of {invented(rng)}. {_FACT_SENTENCES[key].format(value=wrong[0])}"
    return GroundedPuzzle(Puzzle(stem.format(name=name), right, tuple(wrong)), text)


# ---------------------------------------------------------------- a withheld premise


def premise(level: int, rng: Random) -> GroundedPuzzle:
    """An order of people, or a weekday; the deciding premise is not in the stem.

    Asks who came first among 4, 5 or 6 people, without the premise about the first two; or for the weekday of the last
    of 1, 2 or 3 events, without the day of the first.
    """
    if rng.random() < 0.5:
        people = rng.sample(NAMES, level + 3)
        missing_premise, *clues = [f"{early} arrived before {late}." for early, late in pairwise(people)]
        rng.shuffle(clues)
        introduction = f"{len(people)} people arrived one after another: {', '.join(sorted(people))}."
        stem = f"{introduction} {' '.join(clues)} Who arrived first?"
        return GroundedPuzzle(Puzzle(stem, people[0], tuple(people[1:])), missing_premise)
    name = f"{rng.choice(NAMES)} of {invented(rng)}"
    start = rng.randrange(7)
    steps = [rng.randint(2, 9) for _ in range(level)]
    names = ("departs", "arrives", "writes home", "returns")
    clues = [
        f"{name} {after} {days} days after {name} {before}."
        for (before, after), days in zip(pairwise(names), steps, strict=False)
    ]
    last_day = start + sum(steps)
    wrong = rng.sample([day for day in range(7) if day != last_day % 7], WRONG)
    stem = f"{' '.join(clues)} On which day of the week does this happen: {name} {names[level]}?"
    missing_premise = f"{name} {names[0]} on a {DAYS[start]}."
    return GroundedPuzzle(Puzzle(stem, DAYS[last_day % 7], tuple(DAYS[day] for day in wrong)), missing_premise)


# ---------------------------------------------------------------- invented labels

_SORTS = {
    "animal": ("goat", "heron", "otter", "beetle", "donkey", "owl"),
    "fruit": ("apple", "pear", "lemon", "fig", "plum", "mango"),
    "furniture": ("chair", "table", "wardrobe", "stool", "desk", "sofa"),
    "instrument": ("violin", "flute", "drum", "harp", "trumpet", "banjo"),
    "tool": ("hammer", "saw", "wrench", "chisel", "drill", "rake"),
}
_LABELS = ("blicket", "dorvin", "fendle", "glimmet", "horb", "jasker", "kromp", "luvit", "mert", "quillip")


def label(level: int, rng: Random) -> GroundedPuzzle:
    """The invented word for a kind of thing; only the 8, 6 or 4 examples show what it means."""
    sorts = rng.sample(sorted(_SORTS), 1 + WRONG)
    words = dict(zip(sorts, rng.sample(_LABELS, len(sorts)), strict=True))
    asked_thing, *example_things = rng.sample(_SORTS[sorts[0]], 3)
    examples = [(thing, words[sorts[0]]) for thing in example_things[: 2 if level < 3 else 1]]
    for sort in sorts[1:]:
        examples += [(thing, words[sort]) for thing in rng.sample(_SORTS[sort], 2 if level == 1 else 1)]
    rng.shuffle(examples)
    language = invented(rng)
    text = "\n".join(f"{thing}: {word}" for thing, word in examples)
    stem = (
        f"The language {language} has one word for each kind of thing. Which word does it use for this: {asked_thing}?"
    )
    grounds = f"Words of the language {language}:\n{text}"
    return GroundedPuzzle(Puzzle(stem, words[sorts[0]], tuple(words[sort] for sort in sorts[1:])), grounds)


# ---------------------------------------------------------------- sums with one of their steps


def step(level: int, rng: Random) -> GroundedPuzzle:
    """A sum in two steps, with the step that shows its answer and a demonstrably wrong one."""
    largest = (12, 15, 19)[level - 1]
    a, b, c = rng.randint(4, 99), rng.randint(6, largest), rng.randint(6, largest + 4)
    right = a + b * c
    gap = rng.choice((1, 2, 10))
    rank = rng.randint(0, WRONG)
    values = [right + gap * (i - rank) for i in range(WRONG + 1)]
    wrong = [value for value in values if value != right]
    rng.shuffle(wrong)
    wrong_product = wrong[0] - a
    return GroundedPuzzle(
        Puzzle(f"What is {a} + {b} × {c}?", str(right), tuple(str(value) for value in wrong)),
        f"{b} × {c} is {b * c}, and {a} + {b * c} is {right}",
        f"{b} × {c} is {wrong_product}, and {a} + {wrong_product} is {wrong[0]}",
        f"Multiply {b} by {c}, then add {a}. Which number is that?",
    )


# ---------------------------------------------------------------- sources

GroundedMaker: TypeAlias = Callable[[int, Random], GroundedPuzzle]
KINDS: dict[str, tuple[GroundedMaker, str]] = {
    "labels": (label, "the invented word for a kind of thing; examples decide"),
    "premises": (premise, "an order or a weekday with one premise held back"),
    "records": (record, "a fact about an invented place; its record decides"),
    "steps": (step, "sums in two steps, each with its step"),
}


@cache
def puzzles(kind: str, level: int, seed: int) -> dict[str, GroundedPuzzle]:
    """The generated questions of a kind, by stem, without repeated stems and without questions whose options look alike."""
    puzzle_by_stem: dict[str, GroundedPuzzle] = {}
    for number in range(TRIES):
        grounded_puzzle = KINDS[kind][0](level, rng(seed, "evidence", kind, level, number))
        texts = {visible(text) for text in (grounded_puzzle.puzzle.right, *grounded_puzzle.puzzle.wrong[:WRONG])}
        if len(texts) == WRONG + 1:
            puzzle_by_stem.setdefault(grounded_puzzle.puzzle.stem, grounded_puzzle)
    return puzzle_by_stem


def grounded(kind: str, n: int, *, seed: int = 0, split: str = "test", level: int = 1) -> tuple[Grounded, ...]:
    """The first n questions of a kind, or all if there are fewer, as `sources.load` returns them, each with its evidence."""
    from unsway.sources import load

    puzzle_by_stem = puzzles(kind, level, seed)
    questions = load(f"evidence/{kind}" + (f"@{level}" if level > 1 else ""), seed=seed, split=split)[:n]
    return tuple(
        Grounded(q, puzzle_by_stem[q.stem].grounds, puzzle_by_stem[q.stem].slip, puzzle_by_stem[q.stem].reworded)
        for q in questions
    )


for _kind, (_make, _about) in KINDS.items():

    @source(
        f"evidence/{_kind}",
        revision="1",
        license="MIT (unsway)",
        splits=tuple(Split(name) for name, _ in SHARES),
        default="test",
        levels=(1, 2, 3),
        summary=f"Generated on demand: {_about}",
    )
    def rows(split: str, level: int, seed: int, kind: str = _kind) -> Iterator[Question]:
        """The questions of one kind, level and seed."""
        for stem, grounded_puzzle in puzzles(kind, level, seed).items():
            if split_of(stem) == split:
                yield Question(
                    stem, (grounded_puzzle.puzzle.right, *grounded_puzzle.puzzle.wrong[:WRONG]), 0, "", split
                )
