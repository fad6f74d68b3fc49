"""A limit on the cost of a study, which stops before it is exceeded.

In: a limit and prices. Out: whether one more prompt may be asked. Money for the longest allowed reply is set aside for each
prompt, and released when the reply arrives, so the limit holds whatever a model replies.

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
"""Fewest characters per token: no common tokenizer makes more tokens of text, so plans with it are on the safe side."""
LOOK_AGAIN = 0.02
"""Seconds between two checks whether money is available again."""


def estimated_tokens(characters: int) -> int:
    """An upper estimate of a text's tokens: no common tokenizer makes more."""
    return ceil(characters / LEAST_CHARACTERS_A_TOKEN)


@dataclass
class Budget:
    """The money that may be spent, and that was spent. Not frozen: a run changes it, from one event loop."""

    limit: float
    """US dollars for all replies of the study, including those in its folder, and for its trainings."""
    table: Mapping[str, Price] = field(default_factory=prices)
    """Prices by name."""
    trained: float = 0.0
    """US dollars for trainings at a provider."""
    set_aside: float = 0.0
    """The most that the prompts in flight may cost, in US dollars."""
    in_flight: int = 0
    """Prompts with money set aside."""
    refused: int = 0
    """Prompts that were not asked because they could have exceeded the limit."""
    unknown: dict[str, int] = field(default_factory=lambda: {"": 0})
    """By place, the number of replies with unknown cost, and of trainings; `spent` and `trained` do not include them."""
    spent_at: dict[str, float] = field(default_factory=lambda: {"": 0.0})
    """US dollars for the replies at each place counted; "" is no particular place."""
    _place: str = field(default="", init=False, repr=False)

    def __post_init__(self) -> None:
        expect(self.limit, Real, "the limit of a budget is expected, in US dollars: Budget(5.0)")
        if not self.limit >= 0:
            raise BadInput(f"The budget is {self.limit} dollars; it must be 0 or more.")

    @property
    def spent(self) -> float:
        """US dollars for the replies received, summed over all places."""
        return sum(self.spent_at.values())

    @property
    def left(self) -> float:
        """US dollars that may still be spent."""
        return self.limit - self.trained - self.spent - self.set_aside

    def price(self, model: str) -> Price:
        """The price of a model. Raises `BadInput` if it is unknown, because then no limit can be enforced."""
        price = price_of(model, self.table)
        if price is None:
            raise BadInput(
                f"The price of {model!r} is not known, so no limit on the cost can be kept. Give a price file with a "
                "line for it (docs/statistics.md), or leave the limit out."
            )
        return price

    def count(self, replies: Iterable[Reply], place: str | Path = "") -> None:
        """Count the known costs of all replies at a place; costs at other places stay counted."""
        self._place = str(Path(place).resolve()) if place else ""
        self.unknown[self._place], self.spent_at[self._place] = 0, 0.0
        for reply in replies:
            self.add(reply)

    def add(self, reply: Reply) -> float:
        """Count one more reply at the same place; returns its cost in US dollars, 0 if unknown."""
        cost = reply_cost(reply, self.table)
        self.unknown[self._place] += cost is None
        self.spent_at[self._place] += cost or 0.0
        return cost or 0.0

    def count_trainings(self, costs: Sequence[float | None]) -> None:
        """Count the known costs of the study's trainings, replacing `trained`."""
        self.unknown["trainings"] = costs.count(None)
        self.trained = sum(cost for cost in costs if cost is not None)

    async def reserve(self, model: str, prompt: Prompt, settings: Settings) -> float | None:
        """Set aside the most that a prompt may cost; returns it in US dollars.

        Waits while replies in flight may free enough; returns None if the prompt could still exceed the limit.
        """
        # every call sends all earlier turns, and every reply may have the maximum length
        calls = prompt.n_model_turns + 1
        text_tokens = estimated_tokens(sum(len(turn.text()) for turn in prompt.turns))
        earlier_tokens = settings.max_tokens * calls * (calls - 1) / 2
        max_cost = self.price(model).of(text_tokens * calls + earlier_tokens, settings.max_tokens * calls)
        while max_cost > self.left:
            if not self.may_grow(max_cost):
                self.refused += 1
                return None
            await asyncio.sleep(LOOK_AGAIN)
        self.set_aside += max_cost
        self.in_flight += 1
        return max_cost

    def may_grow(self, most: float) -> bool:
        """Whether more may soon be left, because replies in flight may cost less than was set aside."""
        return self.in_flight > 0

    def take_all(self) -> float:
        """US dollars that a training may now cost."""
        return self.left

    def totals(self) -> tuple[float, float, int]:
        """The limit and the known costs against it, including trainings, in US dollars; and the number of unknown costs."""
        return self.limit, self.spent + self.trained, sum(self.unknown.values())

    def settle(self, reserved: float, reply: Reply | None) -> None:
        """Release the money set aside, and count the reply's cost; None means that there is no reply."""
        self.in_flight -= 1
        self.set_aside = self.set_aside - reserved if self.in_flight else 0.0
        if reply is not None:
            self.add(reply)
