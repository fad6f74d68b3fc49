"""A decision that waits for a number: what one would do on either side of a threshold, what it is worth, and until when.

In: a condition as one writes it, `brr(suggested_answer, MODEL) > .05`. Out: frozen values, which the notebook keeps.

    StatedDecision.of("train on suggested_answer?", "brr(suggested_answer, openai/gpt-4o-mini) > .05", worth="200/point")
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from unsway.errors import BadInput
from unsway.planning.forecasts import Quantity
from unsway.seeds import content_id

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CONDITION = re.compile(r"(.+?)\s*([<>])\s*([-+]?\d*\.?\d+)\s*")
_WORTH = re.compile(r"\$?(\d+(?:\.\d+)?)\s*/\s*point")


@dataclass(frozen=True, slots=True)
class StatedDecision:
    """A choice between acting and leaving it, by whether a number lies above a threshold."""

    id: str
    """Content id of the rest: another threshold is another decision."""
    text: str
    """The question, in the words of whoever asks it."""
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
            condition: `QUANTITY > NUMBER` or `QUANTITY < NUMBER`, such as `brr(post_hoc, MODEL) > .05`.
            worth: `DOLLARS/point`, where a point is 0.01 of the number; empty for none.
            due: A date (2026-12-04) or the name of the next such day (friday); empty for none.
            today: The day from which names of days are counted; today by default.

        Raises:
            BadInput: One of them cannot be read; says what is allowed.
        """
        found = _CONDITION.fullmatch(condition.strip())
        if found is None:
            raise BadInput(f"{condition!r} is no condition. Write it as 'brr(suggested_answer, MODEL) > .05'.")
        dollars = _WORTH.fullmatch(worth.strip()) if worth else None
        if worth and dollars is None:
            raise BadInput(f"{worth!r} is no worth. Write US dollars for a point (0.01 of the rate): '200/point'.")
        quantity, threshold = str(Quantity.parse(found[1])), float(found[3])
        value, day = float(dollars[1]) if dollars else None, _day(due, today or datetime.now(UTC).date()) if due else ""
        own = content_id(text, quantity, found[2], threshold, value, day)[:12]
        return cls(own, text, quantity, found[2] == ">", threshold, value, day)

    def act(self, value: float) -> bool:
        """Whether one acts if the number is this."""
        return value > self.threshold if self.above else value < self.threshold

    @property
    def condition(self) -> str:
        """When one acts."""
        return f"{self.quantity} {'>' if self.above else '<'} {self.threshold:g}"


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


def _day(text: str, today: date) -> str:
    """A date as 2026-12-04, from itself or from the name of the next such day."""
    word = text.strip().lower()
    if word in DAYS:
        return (today + timedelta((DAYS.index(word) - today.weekday() - 1) % 7 + 1)).isoformat()
    try:
        return date.fromisoformat(word).isoformat()
    except ValueError:
        raise BadInput(f"{text!r} is no day. Write a date (2026-12-04) or the name of a day (friday).") from None
