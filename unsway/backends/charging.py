"""Shared code of back-ends that charge money: a limit on the cost of a fit."""

from __future__ import annotations

from dataclasses import replace
from typing import Self

from unsway.errors import BadInput
from unsway.training.seams import Backend


class Charging(Backend):
    """A back-end whose fits cost money; a subclass has `max_cost` among its fields."""

    max_cost: float | None
    """US dollars that a fit may cost; None sets no limit."""

    def __post_init__(self) -> None:
        Backend.__post_init__(self)
        if self.max_cost is not None and self.max_cost < 0:
            raise BadInput(
                f"{type(self).__name__}.max_cost is {self.max_cost!r}; it is US dollars, 0 or more, or None."
            )

    def limited(self, max_cost: float) -> Self:
        """The same back-end with this limit, unless its own limit is lower."""
        least = max_cost if self.max_cost is None else min(max_cost, self.max_cost)
        return replace(self, **{"max_cost": least})  # a field of every subclass, but not of this class
