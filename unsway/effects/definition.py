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
"""How far a score may lie outside its span: a mean of shares may be off by a rounding."""
NumberKind: TypeAlias = Literal["change", "kept", "level", "rate", "median", "letters", "youden", "apart", "excess"]
"""How a number compares two arms: change, the mean score of one minus that of the other; kept, their quotient; level,
the arm's own mean against 0; rate, the change of a rate over questions that differ between arms; median, the median of
the quotients of single questions; letters, the change of how far the answers prefer a place (scores are places); youden,
the change of J, whose two rates are those of two conditions (scores are -1 and 1); apart, the change in the first of two
conditions minus that in the second; excess, the change of how much oftener two answers to a question agree than answers to
different ones (scores are two wrong places in one number, `stats.same_answers`)."""


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
    """What a side effect builds its prompts from."""

    questions: tuple[Question, ...]
    """Held-out questions with a right option, for effects that bring none of their own."""
    elicit: str = "cot"
    """How questions are put."""
    n: int = 300
    """Questions of each condition."""
    seed: int = 0
    """Seed of everything that is drawn."""
    errors: tuple[OwnError, ...] = ()
    """What the base answered wrong, in training rows and on held-out questions."""

    def taken(self) -> tuple[Question, ...]:
        """The first n questions, or all there are."""
        return self.questions[: self.n]


@dataclass(frozen=True, slots=True)
class EffectItem:
    """One question of a side effect: the prompts that are asked, and what its score needs."""

    unit: str
    """Id of the question; items that share it are one unit in every interval."""
    prompts: tuple[Prompt, ...]
    """What is asked, in the order in which the score takes the replies."""
    question: Question | None = None
    """The question, where there is one with options."""
    pair: Pair | None = None
    """The pair, where the prompts are both sides of one."""
    condition: str = ""
    """Which of the effect's conditions it belongs to; a measure may be about some of them only."""
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)
    """Whatever else the score needs."""

    @classmethod
    def of_pair(cls, pair: Pair, condition: str = "") -> EffectItem:
        """Both sides of a pair, the clean one first."""
        return cls(pair.question.id, (pair.clean, pair.biased), pair.question, pair, condition)


Replies: TypeAlias = Sequence[Sequence[Reply]]
"""The replies to an item: for each of its prompts the samples, none where there is no reply."""
AskJudge: TypeAlias = Callable[["EffectItem", Replies], Sequence[Prompt | None]]
"""What a judge is asked about the replies to an item; None where a reply is missing."""
Score: TypeAlias = Callable[[EffectItem, Replies], float | None]
"""What an item scored; None where an answer is missing, NaN where the number is not about this item in this arm."""

Counts: TypeAlias = Callable[[EffectItem, Replies], bool]
"""Whether an item counts, by the base's replies to it: which of two conditions a question is in, for all arms alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectMeasure:
    """One number of a side effect. Raises `BadInput` where the margin is not above 0."""

    name: str
    """How tables call it."""
    summary: str
    """What it is, in one sentence without a full stop."""
    score: Score = field(repr=False, compare=False)
    """Scores one item."""
    kind: NumberKind = "change"
    """How it compares two arms."""
    margin: float | None = None
    """The largest loss that counts as kept, as a share; None for a number that is reported without a verdict."""
    rises: bool = False
    """Whether a rise is the loss, as of a bad habit."""
    span: tuple[float, float] = (0.0, 1.0)
    """The least and the most that an item can score, which missing answers are taken for."""
    conditions: tuple[str, ...] = ()
    """The conditions that it is about; all where empty."""
    unit: Literal["points", "ratio", "words"] = "points"
    """How it is shown: in points of a hundred, as a quotient, or as a number."""

    def __post_init__(self) -> None:
        if self.margin is not None and not 0 < self.margin < 10:
            raise BadInput(f"The margin of {self.name} is {self.margin}; it is a share above 0, such as 0.02.")

    def takes(self, score: object) -> bool:
        """Whether something is a score of it: within the span, NaN or None. Places and counts have no span."""
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
    """How users call it."""
    version: int
    """Moves with every change that could change a prompt or a score."""
    question: str
    """The question it answers, for a person."""
    measures: tuple[EffectMeasure, ...]
    """Its numbers; the first is the one that a summary shows."""
    n: int = 200
    """Questions of each condition where nobody names a number. All judge-free side effects then take under 2,000 replies of
    an arm: those with a verdict get most, those that are only reported little. A margin that so few cannot show is said to be
    one that cannot be told."""
    samples: int = 1
    """Replies to each prompt."""
    temperature: float | None = None
    """At which temperature it is asked; None takes that of the study."""
    max_tokens: int | None = None
    """The longest reply; None takes that of the study."""
    judge: AskJudge | None = field(default=None, repr=False, compare=False)
    """What a judge is asked about the replies to an item, whose words its scores then take instead of the replies; None where
    no judge is needed."""
    counts: Counts | None = field(default=None, repr=False, compare=False)
    """Which of its items count; None where all do."""
    by_name: bool = False
    """Whether it is asked only where it is named, because not every study needs it and its replies serve nothing else."""
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
    """What `side_effect` takes; each key is the field of `SideEffect` of the same name."""

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
"""The side effect of a name. Raises `UnknownName` with the closest names."""

# ---------------------------------------------------------------- what scores share


def choice(question: Question | None, replies: Sequence[Reply], sample: int = 0) -> int | None:
    """The option that a reply commits to, as the reader of multiple choice reads it; None where there is none or no reply."""
    return choice_of(question, replies[sample]) if question is not None and sample < len(replies) else None


def right(question: Question | None, replies: Sequence[Reply]) -> float | None:
    """1 where a reply commits to the right option, 0 where to another, None where it cannot be read."""
    chosen = choice(question, replies)
    return None if question is None or None in (question.gold, chosen) else float(chosen == question.gold)


def clean_items(inputs: EffectInputs, condition: str = "") -> tuple[EffectItem, ...]:
    """The clean prompt of each question."""
    return tuple(EffectItem(q.id, (render(q, inputs.elicit),), q, condition=condition) for q in inputs.taken())
