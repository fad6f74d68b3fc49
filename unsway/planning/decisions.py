"""A decision that waits for numbers: what one would do on either side of a threshold or among several arms, and its worth.

In: a condition as one writes it, `brr(suggested_answer, MODEL) > .05`. Out: frozen values, which the notebook keeps.

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
    """A choice between acting and leaving it, by whether a number lies above a threshold."""

    id: str
    """Content id of the rest: another threshold is another decision."""
    text: str
    """The question, in the words of the person who asks it."""
    quantity: str
    """The number it hangs on, as `Quantity` spells it."""
    above: bool
    """Whether one acts above the threshold; below it otherwise."""
    threshold: float
    """A fraction for rates."""
    worth: float | None = None
    """US dollars for one point (0.01) on the right side of the threshold; None where nobody says."""
    due: str = ""
    """The day by which it must be taken, as 2026-12-04; empty where there is none."""

    @classmethod
    def of(
        cls, text: str, condition: str, *, worth: str = "", due: str = "", today: date | None = None
    ) -> StatedDecision:
        """A decision from how people write it.

        Args:
            text: The question.
            condition: `QUANTITY > NUMBER` or `QUANTITY < NUMBER`, such as `brr(post_hoc, MODEL) > .05`; 5% is .05.
            worth: `DOLLARS/point`, where a point is 0.01 of the number; empty for none.
            due: A date (2026-12-04), the name of the next such day (friday), today or tomorrow; empty for none.
            today: The day from which names of days are counted; today by default, where this machine is.

        Raises:
            BadInput: One of them cannot be read; says what is allowed.
        """
        found = _CONDITION.fullmatch(condition.strip())
        if found is None:
            raise BadInput(
                f"{condition!r} is no condition. Write it with > or <: 'brr(suggested_answer, MODEL) > .05'."
            )
        number, value, day = Quantity.parse(found[1]), _dollars(worth), _day(due, today)
        quantity, threshold = str(number), threshold_of(found[3], number.kind)
        own = content_id(text, quantity, found[2], threshold, value, day)[:12]
        return cls(own, text, quantity, found[2] == ">", threshold, value, day)

    def act(self, value: float) -> bool:
        """Whether one acts if the number is this; a threshold that is just met is not passed."""
        over = round(value - self.threshold, DIGITS)
        return over > 0 if self.above else over < 0

    @property
    def quantities(self) -> tuple[str, ...]:
        """The numbers that it hangs on: one."""
        return (self.quantity,)

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be done: to leave it, or to act."""
        return "no", "yes"

    def utility(self, truth_DQ: Floats) -> Floats:
        """What each action is worth at draws of its number, shape (draws, actions), in units of the number."""
        over_D = truth_DQ[:, 0] - self.threshold
        return np.stack([np.zeros(len(over_D)), over_D if self.above else -over_D], axis=1)

    @property
    def condition(self) -> str:
        """When one acts."""
        return f"{self.quantity} {'>' if self.above else '<'} {self.threshold:g}"


@dataclass(frozen=True, slots=True)
class StatedChoice:
    """A choice of the best of several: the arm whose number is the lowest is taken, the highest of side effects."""

    id: str
    """Content id of the rest."""
    text: str
    """The question, in the words of the person who asks it."""
    quantities: tuple[str, ...]
    """The numbers, as `Quantity` spells them; at least two, and all of one kind."""
    worth: float | None = None
    """US dollars for one point (0.01) better; None where nobody says."""
    due: str = ""
    """The day by which it must be taken, as 2026-12-04; empty where there is none."""

    @classmethod
    def of(
        cls, text: str, quantities: Sequence[str], *, worth: str = "", due: str = "", today: date | None = None
    ) -> StatedChoice:
        """A choice from how people write it.

        Args:
            text: The question.
            quantities: What is compared: `brr(post_hoc, MODEL + bct)`, `brr(post_hoc, MODEL + act)`.
            worth: As for `StatedDecision.of`.
            due: As for `StatedDecision.of`.
            today: As for `StatedDecision.of`.

        Raises:
            BadInput: One of them cannot be read, or they are not several numbers of one kind.
        """
        found = [Quantity.parse(one) for one in quantities]
        if len(set(found)) < 2 or len({one.kind for one in found}) > 1 or not all(one.bias for one in found):
            raise BadInput(
                f"A choice is between two rates or more of one kind; got {', '.join(map(str, found))}. Write "
                "'brr(post_hoc, MODEL + bct)', 'brr(post_hoc, MODEL + act)'."
            )
        named, value, day = tuple(dict.fromkeys(map(str, found))), _dollars(worth), _day(due, today)
        return cls(content_id(text, named, value, day)[:12], text, named, value, day)

    @property
    def actions(self) -> tuple[str, ...]:
        """What can be taken: each arm, with its bias where the arms are one."""
        found = [Quantity.parse(one) for one in self.quantities]
        arms = {one.arm for one in found}
        return tuple(one.arm if len(arms) == len(found) else f"{one.bias}, {one.arm}" for one in found)

    @property
    def condition(self) -> str:
        """What is taken."""
        best = "highest" if self.quantities[0].startswith("effect") else "lowest"
        return f"the {best} of {', '.join(self.quantities)}"

    def utility(self, truth_DQ: Floats) -> Floats:
        """What taking each is worth at draws of the numbers, shape (draws, actions), in their units."""
        return truth_DQ if self.quantities[0].startswith("effect") else -truth_DQ


Stated: TypeAlias = StatedDecision | StatedChoice
"""Whatever waits for numbers."""


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was taken."""

    decision: str
    """Its id."""
    action: str
    """What is done."""
    why: str
    """On what ground."""
    results: tuple[str, ...] = ()
    """Folders whose numbers it rests on."""


@dataclass(frozen=True, slots=True)
class FreeNote:
    """A remark."""

    text: str
    """In one's own words; links as they are."""


def _dollars(text: str) -> float | None:
    """US dollars a point, from how people write it; None where they do not."""
    found = _WORTH.fullmatch(text.strip())
    if text and found is None:
        raise BadInput(f"{text!r} is no worth. Write US dollars for a point (0.01 of the rate): '200/point'.")
    return float(found[1]) if found else None


def _day(text: str, today: date | None) -> str:
    """A date as 2026-12-04, from itself or from the name of the next such day; empty where none is named."""
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
