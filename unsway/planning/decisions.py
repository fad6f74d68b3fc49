"""Decisions that wait for numbers: acting on one side of a threshold, or choosing among arms; and what they are worth.

In: a condition as people write it, `brr(suggested_answer, MODEL) > .05`. Out: frozen values, which the notebook stores.

    StatedDecision.of("train on suggested_answer?", "brr(suggested_answer, openai/gpt-4o-mini) > .05", worth="200/point")
    StatedChoice.of("which training?", ["brr(post_hoc, my/model + bct)", "brr(post_hoc, my/model + act)"])
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeAlias

import numpy as np

from unsway.errors import BadInput
from unsway.planning.forecasts import DIGITS, Quantity, threshold_of
from unsway.seeds import content_id
from unsway.stats.intervals import Floats

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
NEAR = ("today", "tomorrow")
_CONDITION = re.compile(r"(.+?)\s*([<>])\s*(\S+)\s*")
_WORTH = re.compile(r"\$?(\d+(?:\.\d+)?)\s*/\s*point")


@dataclass(frozen=True, slots=True)
class StatedDecision:
    """A choice whether to act, depending on whether a number is above a threshold."""

    id: str
    """Content id of the other fields: another threshold is another decision."""
    text: str
    """The question, in the words of the person who asks it."""
    quantity: str
    """The number that decides, as `Quantity` spells it."""
    above: bool
    """Whether to act above the threshold; otherwise below it."""
    threshold: float
    """The threshold; a fraction for rates."""
    worth: float | None = None
    """US dollars for one point (0.01) on the right side of the threshold; None if not given."""
    due: str = ""
    """The day by which it must be taken, such as 2026-12-04; empty if there is none."""

    @classmethod
    def of(
        cls, text: str, condition: str, *, worth: str = "", due: str = "", today: date | None = None
    ) -> StatedDecision:
        """A decision, from text as people write it.

        Args:
            text: The question.
            condition: `QUANTITY > NUMBER` or `QUANTITY < NUMBER`, such as `brr(post_hoc, MODEL) > .05`; 5% is .05.
            worth: `DOLLARS/point`, where a point is 0.01 of the number; empty for none.
            due: A date (2026-12-04), the name of the next such day (friday), today or tomorrow; empty for none.
            today: The day from which names of days are counted; by default this machine's current date.

        Raises:
            BadInput: An argument cannot be read; the message says what is allowed.
        """
        match = _CONDITION.fullmatch(condition.strip())
        if match is None:
            raise BadInput(
                f"{condition!r} is no condition. Write it with > or <: 'brr(suggested_answer, MODEL) > .05'."
            )
        parsed, dollars, day = Quantity.parse(match[1]), _dollars(worth), _day(due, today)
        quantity = str(parsed)
        threshold = threshold_of(match[3], parsed.kind)
        decision_id = content_id(text, quantity, match[2], threshold, dollars, day)[:12]
        return cls(decision_id, text, quantity, match[2] == ">", threshold, dollars, day)

    def act(self, value: float) -> bool:
        """Whether to act if the number has this value; a value equal to the threshold does not pass it."""
        excess = round(value - self.threshold, DIGITS)
        return excess > 0 if self.above else excess < 0

    @property
    def quantities(self) -> tuple[str, ...]:
        """The numbers that decide: one."""
        return (self.quantity,)

    @property
    def actions(self) -> tuple[str, ...]:
        """The possible actions: leave it, or act."""
        return "no", "yes"

    def utility(self, truth_DQ: Floats) -> Floats:
        """The value of each action for draws of the number, shape (draws, actions), in units of the number."""
        excess_D = truth_DQ[:, 0] - self.threshold
        return np.stack([np.zeros(len(excess_D)), excess_D if self.above else -excess_D], axis=1)

    @property
    def condition(self) -> str:
        """When to act."""
        return f"{self.quantity} {'>' if self.above else '<'} {self.threshold:g}"


@dataclass(frozen=True, slots=True)
class StatedChoice:
    """A choice of the best of several arms: the one with the lowest number, for side effects the highest."""

    id: str
    """Content id of the other fields."""
    text: str
    """The question, in the words of the person who asks it."""
    quantities: tuple[str, ...]
    """The numbers, as `Quantity` spells them; at least two, and all of one kind."""
    worth: float | None = None
    """US dollars for one point (0.01) better; None if not given."""
    due: str = ""
    """The day by which it must be taken, such as 2026-12-04; empty if there is none."""

    @classmethod
    def of(
        cls, text: str, quantities: Sequence[str], *, worth: str = "", due: str = "", today: date | None = None
    ) -> StatedChoice:
        """A choice, from text as people write it.

        Args:
            text: The question.
            quantities: The numbers to compare: `brr(post_hoc, MODEL + bct)`, `brr(post_hoc, MODEL + act)`.
            worth: As for `StatedDecision.of`.
            due: As for `StatedDecision.of`.
            today: As for `StatedDecision.of`.

        Raises:
            BadInput: An argument cannot be read, or there are not several numbers of one kind.
        """
        parsed = [Quantity.parse(spelling) for spelling in quantities]
        if (
            len(set(parsed)) < 2
            or len({quantity.kind for quantity in parsed}) > 1
            or not all(quantity.bias for quantity in parsed)
        ):
            raise BadInput(
                f"A choice is between two rates or more of one kind; got {', '.join(map(str, parsed))}. Write "
                "'brr(post_hoc, MODEL + bct)', 'brr(post_hoc, MODEL + act)'."
            )
        spellings, dollars, day = tuple(dict.fromkeys(map(str, parsed))), _dollars(worth), _day(due, today)
        return cls(content_id(text, spellings, dollars, day)[:12], text, spellings, dollars, day)

    @property
    def actions(self) -> tuple[str, ...]:
        """The possible choices: each arm, with its bias if all arms are the same."""
        parsed = [Quantity.parse(spelling) for spelling in self.quantities]
        arms = {quantity.arm for quantity in parsed}
        return tuple(
            quantity.arm if len(arms) == len(parsed) else f"{quantity.bias}, {quantity.arm}" for quantity in parsed
        )

    @property
    def condition(self) -> str:
        """The arm to choose."""
        best = "highest" if self.quantities[0].startswith("effect") else "lowest"
        return f"the {best} of {', '.join(self.quantities)}"

    def utility(self, truth_DQ: Floats) -> Floats:
        """The value of each choice for draws of the numbers, shape (draws, actions), in their units."""
        return truth_DQ if self.quantities[0].startswith("effect") else -truth_DQ


Stated: TypeAlias = StatedDecision | StatedChoice
"""Any decision that waits for numbers."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was taken."""

    decision: str
    """The decision's id."""
    action: str
    """The action taken."""
    why: str
    """The reason."""
    results: tuple[str, ...] = ()
    """Folders with the numbers it is based on."""


@dataclass(frozen=True, slots=True)
class FreeNote:
    """A remark in the notebook."""

    text: str
    """Its text, including links."""


def _dollars(text: str) -> float | None:
    """US dollars per point, from text as people write it; None if not given."""
    match = _WORTH.fullmatch(text.strip())
    if text and match is None:
        raise BadInput(f"{text!r} is no worth. Write US dollars for a point (0.01 of the rate): '200/point'.")
    return float(match[1]) if match else None


def _day(text: str, today: date | None) -> str:
    """A date as 2026-12-04, from a date or the name of the next such day; empty if none is given."""
    word, today = text.strip().lower(), today or datetime.now().astimezone().date()
    if not word:
        return ""
    if word in NEAR:
        return (today + timedelta(NEAR.index(word))).isoformat()
    if word in DAYS:
        return (today + timedelta((DAYS.index(word) - today.weekday() - 1) % 7 + 1)).isoformat()
    try:
        day = date.fromisoformat(word)
    except ValueError:
        raise BadInput(
            f"{text!r} is no day. Write a date (2026-12-04), the name of a day (friday), today or tomorrow."
        ) from None
    if day < today:
        raise BadInput(f"{day} has passed (today is {today}). Name a day to come, or none.")
    return day.isoformat()
