"""What a side effect is, how one is declared, and how all of them are found.

In: modules of this room, and of other packages through the entry-point group `unsway.plugins`. Out: `SideEffect` values
by name.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Literal, Required, TypeAlias, TypedDict, Unpack

from unsway.errors import BadInput
from unsway.prompts.render import render
from unsway.readers.parse import choice_of
from unsway.registry import Registry, declared
from unsway.types import Pair, Prompt, Question, Reply

ROUNDING = 1e-9
"""Tolerance for scores outside their span, because means of shares may have rounding errors."""
NumberKind: TypeAlias = Literal["change", "kept", "level", "rate", "median", "letters", "youden", "apart", "excess"]
"""How a number compares two arms. change: the mean score of one minus that of the other. kept: their quotient. level: the
arm's own mean against 0. rate: the change of a rate over questions that differ between arms. median: the median of the
quotients of single questions. letters: the change in how strongly answers prefer a place (scores are places). youden: the
change of J, whose two rates come from two conditions (scores are -1 and 1). apart: the change in the first of two
conditions minus that in the second. excess: the change in how much more often two answers to one question agree than
answers to different questions (scores are two wrong places in one number, `stats.same_answers`)."""


@dataclass(frozen=True, slots=True)
class OwnError:
    """A question that the base answered wrong."""

    question: Question
    option: int
    """The wrong option it gave."""
    trained: bool
    """Whether that reply became the target of a training row."""


@dataclass(frozen=True, slots=True)
class EffectInputs:
    """The inputs from which a side effect builds its prompts."""

    questions: tuple[Question, ...]
    """Held-out questions with a right option, for effects without their own questions."""
    elicit: str = "cot"
    """How questions are put."""
    n: int = 300
    """Number of questions of each condition."""
    seed: int = 0
    """Seed of everything that is drawn."""
    errors: tuple[OwnError, ...] = ()
    """The base's wrong answers, in training rows and on held-out questions."""

    def taken(self) -> tuple[Question, ...]:
        """The first n questions, or all if there are fewer."""
        return self.questions[: self.n]


@dataclass(frozen=True, slots=True)
class EffectItem:
    """One question of a side effect: the prompts that are asked, and what its score needs."""

    unit: str
    """Id of the question; items that share it are one unit in every interval."""
    prompts: tuple[Prompt, ...]
    """The prompts to ask, in the order in which the score takes the replies."""
    question: Question | None = None
    """The question, if it is one with options."""
    pair: Pair | None = None
    """The pair, if the prompts are its two sides."""
    condition: str = ""
    """Which of the effect's conditions it belongs to; a measure may be about some of them only."""
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Other data that the score needs."""

    @classmethod
    def of_pair(cls, pair: Pair, condition: str = "") -> EffectItem:
        """An item of both sides of a pair, the clean one first."""
        return cls(pair.question.id, (pair.clean, pair.biased), pair.question, pair, condition)


Replies: TypeAlias = Sequence[Sequence[Reply]]
"""The replies to an item: for each of its prompts the samples; empty without a reply."""
AskJudge: TypeAlias = Callable[["EffectItem", Replies], Sequence[Prompt | None]]
"""Builds a judge's prompts about the replies to an item; None for a missing reply."""
Score: TypeAlias = Callable[[EffectItem, Replies], float | None]
"""Scores an item: None if an answer is missing, NaN if the number does not apply to this item in this arm."""

Counts: TypeAlias = Callable[[EffectItem, Replies], bool]
"""Whether an item counts, from the base's replies; this assigns a question to one of two conditions, equally for all arms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectMeasure:
    """One number of a side effect. Raises `BadInput` if the margin is not above 0."""

    name: str
    """Its name in tables."""
    summary: str
    """What it is, in one sentence without a full stop."""
    score: Score = field(repr=False, compare=False)
    """Scores one item."""
    kind: NumberKind = "change"
    """How it compares two arms."""
    margin: float | None = None
    """The largest loss that counts as kept, as a share; None for a number that is reported without a verdict."""
    rises: bool = False
    """Whether a rise is a loss, as for a bad habit."""
    span: tuple[float, float] = (0.0, 1.0)
    """The minimum and maximum score of an item; missing answers are bounded by these."""
    conditions: tuple[str, ...] = ()
    """The conditions that it is about; empty means all."""
    unit: Literal["points", "ratio", "words"] = "points"
    """How it is shown: in percentage points, as a quotient, or as a number of words."""

    def __post_init__(self) -> None:
        if self.margin is not None and not 0 < self.margin < 10:
            raise BadInput(f"The margin of {self.name} is {self.margin}; it is a share above 0, such as 0.02.")

    def takes(self, score: object) -> bool:
        """Whether a value is a valid score: within the span, NaN or None. Places and counts have no span."""
        if not isinstance(score, Real) or math.isnan(score):
            return score is None or isinstance(score, Real)
        least, most = (0.0, math.inf) if self.kind in ("letters", "median", "excess") else self.span
        return math.isfinite(score) and least - ROUNDING <= float(score) <= most + ROUNDING


Build: TypeAlias = Callable[[EffectInputs], tuple[EffectItem, ...]]
"""Builds the items of a side effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SideEffect:
    """Something that a training may cost or break."""

    name: str
    """Its name for users."""
    version: int
    """Increases with every change that could alter a prompt or a score."""
    question: str
    """The question it answers, for a person."""
    measures: tuple[EffectMeasure, ...]
    """Its numbers; the first is the one that a summary shows."""
    n: int = 200
    """Default number of questions of each condition. With the defaults, all judge-free side effects together take under 2,000
    replies of an arm: most go to effects with a verdict, few to those that are only reported. If they are too few for a
    margin, the verdict is "cannot tell"."""
    samples: int = 1
    """Replies to each prompt."""
    temperature: float | None = None
    """The temperature; None takes the study's."""
    max_tokens: int | None = None
    """Maximum tokens of a reply; None takes the study's."""
    judge: AskJudge | None = field(default=None, repr=False, compare=False)
    """Builds a judge's prompts about the replies to an item; the scores then read the judge's words instead of the replies.
    None if no judge is needed."""
    counts: Counts | None = field(default=None, repr=False, compare=False)
    """Which of its items count; None if all do."""
    by_name: bool = False
    """Whether it is asked only if named, because not every study needs it and its replies have no other use."""
    build: Build = field(repr=False, compare=False)
    """Builds its items."""

    @property
    def judged(self) -> bool:
        """Whether its scores are read by a judge."""
        return self.judge is not None

    @property
    def versioned(self) -> str:
        """`name@version`."""
        return f"{self.name}@{self.version}"

    @property
    def summary(self) -> str:
        """The question, for listings."""
        return f"{self.question} (only by name)" if self.by_name else self.question


class AboutEffect(TypedDict, total=False):
    """The keyword arguments of `side_effect`; each sets the field of `SideEffect` with the same name."""

    version: Required[int]
    question: Required[str]
    measures: Required[tuple[EffectMeasure, ...]]
    n: int
    samples: int
    temperature: float | None
    max_tokens: int | None
    judge: AskJudge | None
    counts: Counts | None
    by_name: bool


effects: Registry[SideEffect] = Registry("side effect", "unsway.effects", SideEffect)
"""All side effects, by name."""


def side_effect(name: str, **about: Unpack[AboutEffect]) -> Callable[[Build], Build]:
    """Declare a side effect over a function that builds its items.

    Raises:
        UnknownName: A side effect has no such field.
        BadInput: The name is taken, or a field is missing.
    """

    def declare(build: Build) -> Build:
        effects.add(name, declared("side effect", SideEffect, name, about, build=build))
        return build

    return declare


names = effects.names
"""The names of all side effects, in alphabetical order."""
get = effects.get
"""Return the side effect with a name. Raises `UnknownName` with the closest names."""

# ---------------------------------------------------------------- what scores share


def choice(question: Question | None, replies: Sequence[Reply], sample: int = 0) -> int | None:
    """The option that a reply commits to, as the multiple-choice reader reads it; None without a readable option or reply."""
    return choice_of(question, replies[sample]) if question is not None and sample < len(replies) else None


def right(question: Question | None, replies: Sequence[Reply]) -> float | None:
    """1 if a reply commits to the right option, 0 if to another, None if it cannot be read."""
    chosen = choice(question, replies)
    return None if question is None or None in (question.gold, chosen) else float(chosen == question.gold)


def clean_items(inputs: EffectInputs, condition: str = "") -> tuple[EffectItem, ...]:
    """The clean prompt of each question."""
    return tuple(EffectItem(q.id, (render(q, inputs.elicit),), q, condition=condition) for q in inputs.taken())
