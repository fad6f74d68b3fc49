"""A limit on what a study may cost, which stops before it is exceeded, not after.

In: a limit and prices. Out: whether one more prompt may be asked. Money is set aside for the longest reply that a prompt
allows, and released when the reply arrives, so the limit holds whatever a model says.

    budget = Budget(5.0)
    run(pairs, "openai/gpt-4o-mini", settings=settings, budget=budget, folder="runs/x")
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from numbers import Real
from pathlib import Path

from unsway.errors import BadInput, expect
from unsway.planning.prices import Price, price_of, prices, reply_cost
from unsway.types import Prompt, Reply, Settings

LEAST_CHARACTERS_A_TOKEN = 2.0
"""A prompt counts as half as many tokens as characters: more than any common tokenizer makes of text."""
LOOK_AGAIN = 0.02
"""Seconds between two looks at whether money is available again."""


def estimated_tokens(characters: int) -> int:
    """The tokens of a text by a careful estimate: no common tokenizer makes more of it."""
    return ceil(characters / LEAST_CHARACTERS_A_TOKEN)


@dataclass
class Budget:
    """What may be spent, and what was spent. Not frozen: a run changes it, from one event loop."""

    limit: float
    """US dollars for all replies of the study, those in its folder included, and for its trainings."""
    table: Mapping[str, Price] = field(default_factory=prices)
    """Prices by name."""
    trained: float = 0.0
    """US dollars for trainings at a provider."""
    set_aside: float = 0.0
    """US dollars that the prompts in flight may cost at most."""
    in_flight: int = 0
    """Prompts for which money is set aside."""
    refused: int = 0
    """Prompts that were not asked because they might have exceeded the limit."""
    unknown: dict[str, int] = field(default_factory=lambda: {"": 0})
    """How many replies of each place, and trainings of the study, cost what nobody knows: `spent` and `trained` lack them."""
    spent_at: dict[str, float] = field(default_factory=lambda: {"": 0.0})
    """US dollars for the replies of each place that was counted; "" is none in particular."""
    _place: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        expect(self.limit, Real, "the limit of a budget is expected, in US dollars: Budget(5.0)")
        if not self.limit >= 0:
            raise BadInput(f"The budget is {self.limit} dollars; it must be 0 or more.")

    @property
    def spent(self) -> float:
        """US dollars for the replies received, at all places."""
        return sum(self.spent_at.values())

    @property
    def left(self) -> float:
        """US dollars that may still be spent."""
        return self.limit - self.trained - self.spent - self.set_aside

    def price(self, model: str) -> Price:
        """The price of a model. Raises `BadInput` if it is not known, because then no limit can be kept."""
        found = price_of(model, self.table)
        if found is None:
            raise BadInput(
                f"The price of {model!r} is not known, so no limit on the cost can be kept. Give a price file with a "
                "line for it (docs/statistics.md), or leave the limit out."
            )
        return found

    def count(self, replies: Iterable[Reply], place: str | Path = "") -> None:
        """Count what all replies of a place cost, as far as it is known; what was spent at other places stays counted."""
        self._place = str(Path(place).resolve()) if place else ""
        self.unknown[self._place], self.spent_at[self._place] = 0, 0.0
        for reply in replies:
            self.add(reply)

    def add(self, reply: Reply) -> float:
        """Count one more reply of that place, as far as its cost is known; returns that in US dollars."""
        cost = reply_cost(reply, self.table)
        self.unknown[self._place] += cost is None
        self.spent_at[self._place] += cost or 0.0
        return cost or 0.0

    def count_trainings(self, costs: Sequence[float | None]) -> None:
        """Count what the trainings of the study cost, as far as it is known; it replaces `trained`."""
        self.unknown["trainings"] = costs.count(None)
        self.trained = sum(cost for cost in costs if cost is not None)

    async def reserve(self, model: str, prompt: Prompt, settings: Settings) -> float | None:
        """Set aside what a prompt may cost at most; returns it in US dollars.

        Waits for replies in flight that may leave enough; None if the prompt might still exceed the limit.
        """
        # every call sends all turns before it, and every reply is as long as it may be
        calls = prompt.n_model_turns + 1
        text = estimated_tokens(sum(len(turn.text()) for turn in prompt.turns))
        earlier = settings.max_tokens * calls * (calls - 1) / 2
        most = self.price(model).of(text * calls + earlier, settings.max_tokens * calls)
        while most > self.left:
            if not self.may_grow(most):
                self.refused += 1
                return None
            await asyncio.sleep(LOOK_AGAIN)
        self.set_aside += most
        self.in_flight += 1
        return most

    def may_grow(self, most: float) -> bool:
        """Whether more may be left soon: replies in flight may cost less than was set aside for them."""
        return self.in_flight > 0

    def take_all(self) -> float:
        """US dollars that a training may cost now."""
        return self.left

    def totals(self) -> tuple[float, float, int]:
        """The limit and what is known to be spent of it, trainings included, in US dollars; how many costs are not known."""
        return self.limit, self.spent + self.trained, sum(self.unknown.values())

    def settle(self, reserved: float, reply: Reply | None) -> None:
        """Release what was set aside, and count what the reply cost; None if there is no reply."""
        self.in_flight -= 1
        self.set_aside = self.set_aside - reserved if self.in_flight else 0.0
        if reply is not None:
            self.add(reply)
